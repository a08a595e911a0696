//! Portuguese as it is written in Brazil, for every reader of Portuguese.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "pt-BR",
    ranges: &["pt-br", "pt"],
    direction: Direction::Ltr,
    form: plural::up_to_one_or_other,
    subject: "Seu código de {product}",
    greeting: "Olá,",
    intro: "Digite este código para continuar em {product}:",
    code_label: "Seu código",
    lasts: Plural::pair(
        "Ele só pode ser usado uma vez e expira em {minutes} minuto.",
        "Ele só pode ser usado uma vez e expira em {minutes} minutos.",
    ),
    link_intro: "Ou abra este link no dispositivo em que você pediu o código:",
    link_button: "Continuar em {product}",
    ignore: "Se você não pediu este código, pode ignorar este e-mail: sem o código, nada acontece.",
    keep: "Não passe o código a ninguém. {product} nunca vai ligar ou escrever para pedir que você o informe.",
};
