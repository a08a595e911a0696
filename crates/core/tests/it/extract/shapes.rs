//! How codes are written, how HTML shows them, and what binds them to a site. Written for this test.

use doorcode_core::extract::{Format, Kind, Message, classify, extract};

use super::{found, text};

#[test]
fn writes_the_code_as_a_person_types_it() {
    for (message, code) in [
        ("123-456", "123456"),
        ("48 20 17", "482017"),
        ("QX7Z4M", "QX7Z4M"),
        ("Your code is 482–017", "482017"),
        ("Your code is 482\u{a0}017", "482017"),
        ("Your code is 4820-1777", "48201777"),
        ("Your code is 482-017-335", "482017335"),
        ("Your code: AB12-CD34", "AB12CD34"),
        ("Your code: 1234-ABCD", "1234ABCD"),
        ("Your verification code: QWJZKT", "QWJZKT"),
        ("Your verification code is q7x2k9", "q7x2k9"),
        ("G-482017 is your code", "482017"),
        ("Your code is ４８２０１７", "482017"),
        ("Your code is 𝟒𝟖𝟐𝟎𝟏𝟕", "482017"),
        ("482017er login code", "482017"),
        ("OTP482017 for login", "482017"),
        ("Your code is 482017.Do not share it", "482017"),
        ("code=482017", "482017"),
        ("Your\r\ncode\r\nis\r\n482017", "482017"),
    ] {
        assert_eq!(text(message).as_deref(), Some(code), "{message:?}");
    }
}

#[test]
fn what_one_is_told_to_type_needs_no_name() {
    for (message, code) in [
        ("Enter 482017 in the app", Some("482017")),
        ("Masukkan 482017 untuk melanjutkan", Some("482017")),
        ("Введіть 482 017 на сторінці", Some("482017")),
        ("Zadejte 482017 na stránce", Some("482017")),
        ("Nhập 482017 để tiếp tục", Some("482017")),
        ("Introduzca 482017 en la página", Some("482017")),
        ("请在页面输入482017", Some("482017")),
        ("Order 55120934: to pay 20.00 EUR with your card, confirm with 482017", Some("482017")),
        // Told to, and yet none.
        ("Enter 482017 to win a car! The prize draw ends today", None),
        ("Enter the hall by door 2048", None),
        ("Enter 10115 in your satnav to find us", None),
        ("Type 4417 bulbs are back: 9.90 EUR", None),
        ("Saisissez votre nom. Commande 55120934", None),
    ] {
        assert_eq!(text(message).as_deref(), code, "{message:?}");
    }
}

/// Of two codes that read alike nobody knows which is meant: an older one that was quoted, or one that somebody put beside the other.
#[test]
fn of_two_codes_that_read_alike_neither_is_claimed() {
    for (one, other) in [
        ("Your code is 482017.", "Your code is 771204."),
        ("Your verification code: 482017\n", "\nYour verification code: 771204"),
        ("Ihr Code lautet 482017.", "Ihr Code lautet 771204."),
        ("482017 is your code.", "771204 is your code."),
        ("您的验证码是482017，", "您的验证码是771204。"),
        ("Your code is AB12CD.", "Your code is QX7Z4M."),
    ] {
        assert_eq!(text(&format!("{one} {other}")), None, "{one} {other}");
        assert_eq!(text(&format!("{other} {one}")), None, "{other} {one}");
        assert!(text(one).is_some() && text(&format!("{one} {one}")) == text(one), "{one}");
    }
    for (message, code) in [
        ("Your code is 482 017. Your code is 482017.", "482017"),
        ("Your code is ab12cd. AB12CD is your code.", "ab12cd"),
        ("Your verification code is 482017. Your order number is 771204.", "482017"),
        ("482017 is your code. It replaces the one that we sent before.", "482017"),
    ] {
        assert_eq!(text(message).as_deref(), Some(code), "{message}");
    }
    assert_eq!(found(Some("482017 is your code"), "Your code is 482017", Format::Text).as_deref(), Some("482017"));
    let cells = "<p>Your code is <b>482017</b></p><p>Your code is <b>771204</b></p>";
    assert_eq!(found(None, cells, Format::Html), None);
}

#[test]
fn passes_over_what_is_written_as_something_else() {
    for other in [
        "2026-11-26",
        "26.11.2026",
        "14:35",
        "10:15:30",
        "$1,250",
        "1.250,00 €",
        "€482017",
        "482017 USD",
        "50%",
        "+44 7700 900123",
        "(510) 555-0142",
        "1-800-555-0142",
        "192.168.10.20",
        "**4417",
        "XX4417",
        "...4417",
        "https://x.example/482017",
        "x.example/482017?code=1234",
        "ada4820@mail.example",
        "@ada4820",
    ] {
        assert_eq!(text(&format!("Your code was used: {other}")), None, "{other}");
        assert_eq!(text(&format!("{other} – your code is 739164")).as_deref(), Some("739164"), "{other}");
    }
}

#[test]
fn looks_at_the_subject() {
    assert_eq!(found(Some("482017 is your code"), "Hello Ada", Format::Text).as_deref(), Some("482017"));
    assert_eq!(found(Some("Your sign-in code"), "482017", Format::Text).as_deref(), Some("482017"));
    assert_eq!(found(Some("Order 482017"), "It is on its way.", Format::Text), None);
    assert_eq!(found(Some(""), "", Format::Html), None);
}

#[test]
fn sees_of_html_what_a_person_sees() {
    let decoys = [
        "<div style=\"display:none\">Your code is 111111</div>",
        "<div STYLE='color:red; Display : None !important'>Your code is 111111</div>",
        "<span style=\"font-size:0px\">Your code is 111111</span>",
        "<p style=\"max-height:0;overflow:hidden\">Your code is 111111</p>",
        "<p style=\"opacity:0\">Your code is <b>111111</b></p>",
        "<p hidden>Your code is 111111</p>",
        "<span class=\"x preheader y\">Your code is 111111</span>",
        "<style>.gone, .away { display: none } @media print { .seen { display: none } }</style>\
         <p class=\"gone\">Your code is 111111</p>",
        "<title>Your code is 111111</title>",
        "<script>var code = 'Your code is 111111'</script>",
        "<!-- Your code is 111111 -->",
        "<!--[if mso]><p>Your code is 111111</p><![endif]-->",
        "<img alt=\"Your code is 111111\" src=\"cid:x\">",
        "<a href=\"https://x.example/?code=111111\">Open the app</a>",
    ];
    for decoy in decoys {
        let html = format!("<html><body>{decoy}<p class=\"seen\">Your login code:</p><h1>482017</h1></body></html>");
        assert_eq!(found(None, &html, Format::Html).as_deref(), Some("482017"), "{decoy}");
        assert_eq!(found(None, decoy, Format::Html), None, "{decoy}");
    }
}

#[test]
fn reads_codes_out_of_markup() {
    for html in [
        "<p>Your code:</p><table><tr><td>4</td><td>8</td><td>2</td><td>0</td><td>1</td><td>7</td></tr></table>",
        "<p>Your code:</p><div>4</div><div>8</div><div>2</div><div>0</div><div>1</div><div>7</div>",
        "<p>Your code is <b>482</b>&nbsp;<b>017</b></p>",
        "<p>Your code is <b>48</b><i>2017</i>.</p>",
        "Your code is&#58; &#52;82017",
        "<td style=\"font-size:0\"><p style=\"font-size:14px\">Your code is 482017</p></td>",
        "<p style=\"display:none\">hi<p>Your code is 482017",
        "<p title='a > b'>Your code is 482017</p>",
        "1 < 2 & your code is 482017",
        "<div>Your code is 482017",
        "<pre>Your code is\n482017</pre>",
    ] {
        assert_eq!(found(None, html, Format::Html).as_deref(), Some("482017"), "{html}");
    }
}

#[test]
fn says_which_site_a_code_is_bound_to() {
    let bound = |text: &str| {
        extract(&Message { subject: None, text, format: Format::Text })
            .map(|found| (found.code.expose().clone(), found.bound_to))
    };
    let to = |code: &str, host: &str| Some((code.to_owned(), Some(host.to_owned())));
    assert_eq!(bound("Your code is 482017.\n\n@Shop.example #482017"), to("482017", "shop.example"));
    assert_eq!(bound("@shop.example #a8X2 @frame.example"), to("a8X2", "shop.example"));
    assert_eq!(bound("Hi\n@shop.example #482017 %frame.example\n"), to("482017", "shop.example"));
    // Not on the last line, not at its beginning, or a mention: nothing is bound.
    assert_eq!(bound("@shop.example #482017\nYour code is 482017"), Some(("482017".to_owned(), None)));
    assert_eq!(bound("Your code is 482017 @shop.example #482017"), Some(("482017".to_owned(), None)));
    assert_eq!(bound("@ada.lovelace #winning"), None);
    assert_eq!(bound("@ada #4820"), None);
}

#[test]
fn is_surer_of_plain_messages() {
    let sure = |text: &str| {
        extract(&Message { subject: None, text, format: Format::Text }).map_or(0, |found| found.confidence)
    };
    let (plain, vague) = (sure("Your verification code is 482017"), sure("Use 4820 to sign in to your account"));
    assert!(plain > 85 && (50..70).contains(&vague), "{plain} {vague}");
}

#[test]
fn says_what_a_message_is_about() {
    let kinds = |text: &str| {
        let kinds = classify(&Message { subject: None, text, format: Format::Text });
        [Kind::Reset, Kind::Payment, Kind::SignIn].map(|kind| u8::from(kinds.has(kind)))
    };
    for (text, expected) in [
        ("Use 482017 to reset your password", [1, 0, 0]),
        ("482017 is the code for your transfer of 50 EUR", [0, 1, 0]),
        ("New device: 482017 is your login code", [0, 0, 1]),
        ("Ihr Code zum Zurücksetzen: 482017", [1, 0, 0]),
        ("Code pour votre virement : 482017", [0, 1, 0]),
        ("Código para restablecer su contraseña: 482017", [1, 0, 0]),
        ("Код для входа: 482017", [0, 0, 1]),
        ("验证码482017，您正在找回密码", [1, 0, 0]),
        ("【银行】482017，用于转账", [0, 1, 0]),
        ("ログイン認証コード 482017", [0, 0, 1]),
        ("رمز إعادة تعيين كلمة المرور 482017", [1, 0, 0]),
        ("Kod do przelewu: 482017", [0, 1, 0]),
        ("Kode transaksi pembayaran: 482017", [0, 1, 0]),
        ("Giriş kodunuz 482017", [0, 0, 1]),
        ("482017", [0, 0, 0]),
        ("Your code is 482017", [0, 0, 0]),
    ] {
        assert_eq!(kinds(text), expected, "{text}");
    }
}

#[test]
fn says_when_it_is_about_a_new_device_and_not_at_every_sign_in() {
    let kinds = |text: &str| {
        let kinds = classify(&Message { subject: None, text, format: Format::Text });
        (kinds.has(Kind::NewDevice), kinds.has(Kind::SignIn))
    };
    for text in [
        "New device: 482017 is your login code",
        "We don't recognise this computer. Use 482017 to trust this device",
        "Anmeldung von einem neuen Gerät: 482017",
        "Connexion depuis un nouvel appareil : 482017",
        "Inicio de sesión desde un nuevo dispositivo: 482017",
        "Novo dispositivo detectado. Código: 482017",
        "Вход с нового устройства: 482017",
        "您正在新设备上登录，验证码482017",
        "新しいデバイスからのログイン 482017",
        "تسجيل الدخول من جهاز جديد 482017",
        "Yeni bir cihazdan giriş: 482017",
    ] {
        assert_eq!(kinds(text), (true, true), "{text}");
    }
    for text in [
        "482017 is your login code",
        "Sign in with 482017. If your device asks, type it there",
        "Use 482017 to verify your new phone number and log in",
        "Ihr Code zum Anmelden auf diesem Gerät: 482017",
        "Code de connexion : 482017",
    ] {
        assert_eq!(kinds(text), (false, true), "{text}");
    }
}
