//! Arabic, in the modern standard language. Every text begins with an Arabic word, so that a reader of plain text
//! who goes by the first letter sees it from the right.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "ar",
    ranges: &["ar"],
    direction: Direction::Rtl,
    form: plural::arabic,
    subject: "رمز التحقق الخاص بك في {product}",
    greeting: "مرحبًا،",
    intro: "أدخل هذا الرمز للمتابعة إلى {product}:",
    code_label: "رمز التحقق",
    lasts: Plural {
        one: Some("يُستخدم الرمز مرة واحدة فقط، وتنتهي صلاحيته خلال دقيقة واحدة."),
        two: Some("يُستخدم الرمز مرة واحدة فقط، وتنتهي صلاحيته خلال دقيقتين."),
        few: Some("يُستخدم الرمز مرة واحدة فقط، وتنتهي صلاحيته خلال {minutes} دقائق."),
        many: Some("يُستخدم الرمز مرة واحدة فقط، وتنتهي صلاحيته خلال {minutes} دقيقة."),
        other: "يُستخدم الرمز مرة واحدة فقط، وتنتهي صلاحيته خلال {minutes} دقيقة.",
    },
    link_intro: "أو افتح هذا الرابط على الجهاز الذي طلبت الرمز منه:",
    link_button: "المتابعة إلى {product}",
    ignore: "إذا لم تطلب هذا الرمز، فيمكنك تجاهل هذه الرسالة: لن يحدث أي شيء من دون الرمز.",
    keep: "لا تعطِ الرمز لأي شخص. لن يتصل بك {product} ولن يراسلك أبدًا لطلبه.",
};
