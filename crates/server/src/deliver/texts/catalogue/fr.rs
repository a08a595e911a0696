//! French.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "fr",
    ranges: &["fr"],
    direction: Direction::Ltr,
    form: plural::up_to_one_or_other,
    subject: "Votre code {product}",
    greeting: "Bonjour,",
    intro: "Saisissez ce code pour continuer vers {product}\u{a0}:",
    code_label: "Votre code",
    lasts: Plural::pair(
        "Il ne fonctionne qu’une fois et expire dans {minutes} minute.",
        "Il ne fonctionne qu’une fois et expire dans {minutes} minutes.",
    ),
    link_intro: "Ou ouvrez ce lien sur l’appareil depuis lequel vous avez demandé le code\u{a0}:",
    link_button: "Continuer vers {product}",
    ignore: "Si vous n’avez rien demandé, vous pouvez ignorer cet e-mail\u{a0}: sans le code, il ne se passe rien.",
    keep: "Ne le communiquez à personne. {product} ne vous appellera ni ne vous écrira jamais pour vous le demander.",
};
