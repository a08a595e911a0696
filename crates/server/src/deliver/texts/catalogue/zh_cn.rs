//! Chinese in simplified characters, for every reader of Chinese.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "zh-CN",
    ranges: &["zh-cn", "zh-hans", "zh"],
    direction: Direction::Ltr,
    form: plural::always_other,
    subject: "您的 {product} 验证码",
    greeting: "您好！",
    intro: "请输入以下验证码，继续使用 {product}：",
    code_label: "您的验证码",
    lasts: Plural::same("验证码仅可使用一次，{minutes} 分钟后失效。"),
    link_intro: "您也可以在请求验证码的设备上打开以下链接：",
    link_button: "继续使用 {product}",
    ignore: "如果您没有请求验证码，请忽略这封邮件：没有验证码，什么都不会发生。",
    keep: "请勿将验证码告诉他人。{product} 绝不会致电或发消息向您索要验证码。",
};
