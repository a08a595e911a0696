//! What a browser's notification says when an agent asks: who, and to look. Refuses the agent's reason and the sender: a notification lies
//! open on a locked screen.

use super::{Part, parts};

/// Headline and text of each language; `{agent}` is what its owner calls it.
const NOTICES: &[(&str, &str, &str)] = &[
    ("en", "An agent asks", "{agent} asks for a code. Look at it before you approve."),
    ("ar", "وكيل يسأل", "يطلب {agent} رمزًا. اطّلع عليه قبل الموافقة."),
    ("de", "Ein Agent fragt", "{agent} fragt nach einem Code. Sehen Sie es sich an, bevor Sie erlauben."),
    ("es", "Un agente pregunta", "{agent} pide un código. Mírelo antes de aprobar."),
    ("fr", "Un agent demande", "{agent} demande un code. Regardez avant d’approuver."),
    ("ja", "エージェントからのリクエスト", "{agent} がコードを求めています。許可する前に確認してください。"),
    ("pt-BR", "Um agente pergunta", "{agent} pede um código. Olhe antes de aprovar."),
    ("zh-CN", "有代理请求", "{agent} 请求一个验证码。批准前请先查看。"),
];

/// The headline and the text in a language, of an agent.
#[must_use]
pub fn notice(language: &str, agent: &str) -> (&'static str, String) {
    let found = NOTICES.iter().find(|(had, ..)| *had == language).unwrap_or(&NOTICES[0]);
    let text = parts(found.2).map(|part| match part {
        Part::Plain(plain) => plain,
        Part::Name(_) => agent,
    });
    (found.1, text.collect())
}

#[cfg(test)]
mod tests {
    use super::super::CATALOGUE;
    use super::*;

    #[test]
    fn every_language_has_one_and_names_the_agent() {
        for (texts, (language, title, text)) in CATALOGUE.iter().zip(NOTICES) {
            assert_eq!(texts.language, *language);
            assert!(!title.is_empty() && text.matches("{agent}").count() == 1);
            assert!(notice(language, "{Bot}").1.contains("{Bot}"));
        }
        assert_eq!((CATALOGUE.len(), notice("tlh", "Bot").0), (NOTICES.len(), "An agent asks"));
    }
}
