//! German, with the formal address.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "de",
    ranges: &["de"],
    direction: Direction::Ltr,
    form: plural::one_or_other,
    subject: "Ihr Code für {product}",
    greeting: "Guten Tag,",
    intro: "geben Sie diesen Code ein, um bei {product} fortzufahren:",
    code_label: "Ihr Code",
    lasts: Plural::pair(
        "Er gilt nur einmal und läuft in einer Minute ab.",
        "Er gilt nur einmal und läuft in {minutes} Minuten ab.",
    ),
    link_intro: "Oder öffnen Sie diesen Link auf dem Gerät, auf dem Sie den Code angefordert haben:",
    link_button: "Weiter zu {product}",
    ignore: "Falls Sie keinen Code angefordert haben, können Sie diese E-Mail ignorieren: Ohne den Code geschieht nichts.",
    keep: "Geben Sie den Code nicht weiter. {product} wird Sie niemals anrufen oder anschreiben, um danach zu fragen.",
};
