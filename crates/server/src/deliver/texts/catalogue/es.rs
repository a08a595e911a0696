//! Spanish, for all its countries.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "es",
    ranges: &["es"],
    direction: Direction::Ltr,
    form: plural::one_or_other,
    subject: "Su código de {product}",
    greeting: "Hola:",
    intro: "Introduzca este código para continuar en {product}:",
    code_label: "Su código",
    lasts: Plural::pair(
        "Sirve una sola vez y caduca en 1 minuto.",
        "Sirve una sola vez y caduca en {minutes} minutos.",
    ),
    link_intro: "O abra este enlace en el dispositivo desde el que pidió el código:",
    link_button: "Continuar en {product}",
    ignore: "Si no lo ha pedido, puede ignorar este correo: sin el código no ocurre nada.",
    keep: "No se lo dé a nadie. {product} nunca le llamará ni le escribirá para pedírselo.",
};
