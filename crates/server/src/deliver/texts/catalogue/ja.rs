//! Japanese.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "ja",
    ranges: &["ja"],
    direction: Direction::Ltr,
    form: plural::always_other,
    subject: "{product} の確認コード",
    greeting: "ご利用いただきありがとうございます。",
    intro: "{product} で続けるには、次のコードを入力してください。",
    code_label: "確認コード",
    lasts: Plural::same("このコードは 1 回だけ使え、{minutes} 分で無効になります。"),
    link_intro: "または、コードをリクエストした端末で次のリンクを開いてください。",
    link_button: "{product} に進む",
    ignore: "お心当たりがない場合は、このメールを無視してください。コードが入力されない限り、何も起こりません。",
    keep: "このコードは誰にも教えないでください。{product} が電話やメッセージでコードをお尋ねすることはありません。",
};
