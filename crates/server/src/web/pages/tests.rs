//! The pages as they are, and what none of them may hold.

use axum::response::Html;
use doorcode_core::Shape;
use doorcode_core::code::Alphabet;

use super::fixtures::*;
use super::*;
use crate::deliver::inbox::Inbox;
use crate::web::assets::{APPROVALS, script_href, style_href};
use crate::web::headers::{mail_headers, page_headers};
use crate::web::texts::CATALOGUE;

/// A snapshot without the versions of stylesheet and script, which change with every line in them.
fn snapshot(name: &str, page: &Html<String>) {
    let html = page.0.replace(&style_href(), "/assets/style.css?v=VERSION");
    let html = html.replace(&script_href(), "/assets/door.js?v=VERSION");
    let html = html.replace(&APPROVALS.href(), "/assets/approvals.js?v=VERSION");
    insta::with_settings!({ snapshot_path => "../../../tests/it/snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, html);
    });
}

#[test]
fn the_pages_as_they_are() {
    let shown = |name: &str| {
        let developers = ["landing", "inbox", "message"].iter().any(|page| name.starts_with(page));
        developers
            || name.ends_with("_en")
            || ["code_wrong_ar", "link_other_ar", "account_de", "approvals_ar"].contains(&name)
    };
    for (name, page) in every_page() {
        if shown(&name) {
            snapshot(&format!("page_{name}"), &page);
        }
    }
    let view = Failure { status: 404, what: "There is no such message", hint: "The inbox keeps the newest." };
    snapshot("page_failure", &failure(&view));
}

/// A page without the scripts that it is let.
fn unscripted(page: &Html<String>) -> String {
    [script_href(), APPROVALS.href()]
        .iter()
        .fold(page.0.clone(), |html, script| html.replace(&format!("<script src=\"{script}\" defer></script>"), ""))
}

#[test]
fn every_page_keeps_to_its_policy() {
    for (name, page) in every_page() {
        let html = unscripted(&page);
        for forbidden in
            ["<script", "style=", "<style", "srcdoc", "src=\"http", "href=\"//", "javascript:", "action=\"http"]
        {
            assert!(!html.contains(forbidden), "{name}: {forbidden}");
        }
        let handler = html.split_whitespace().find(|word| word.starts_with("on") && word.contains("=\""));
        assert_eq!(handler, None, "{name}");
        // Links to elsewhere are those in captured mails only.
        assert!(!html.contains("href=\"http") || name.starts_with("inbox") || name.starts_with("message"), "{name}");
        assert!(
            !html.contains(['{', '}'])
                || html.contains("data-wait")
                || name.starts_with("landing")
                || name == "inbox_empty",
            "{name}"
        );
    }
    assert!(page_headers()[0].1.contains("frame-ancestors 'none'") && !page_headers()[0].1.contains("unsafe"));
    assert!(page_headers()[0].1.contains("script-src 'self';"));
    assert!(mail_headers()[0].1.starts_with("sandbox; default-src 'none'") && !mail_headers()[0].1.contains("script"));
}

#[test]
fn every_page_is_whole_and_can_be_found_ones_way_in() {
    for (name, page) in every_page() {
        let html = &page.0;
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main ").count(), 1, "{name}");
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let searches = form.contains("method=\"get\"");
            assert!(searches || form.contains("name=\"csrf\" value=\"Zm9yZ2VyeQ\""), "{name}: {form}");
        }
        for (at, _) in html.match_indices(" id=\"") {
            let id = html[at + 5..].split('"').next().unwrap();
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{name}: {id}");
        }
        for described in html.split("aria-describedby=\"").skip(1) {
            for id in described.split('"').next().unwrap().split(' ') {
                assert!(html.contains(&format!(" id=\"{id}\"")), "{name}: {id}");
            }
        }
    }
}

#[test]
fn every_language_is_said_and_written_its_own_way() {
    for texts in CATALOGUE {
        let html = address(frame(texts.language), "", None).0;
        let opening = format!("<html lang=\"{}\" dir=\"{}\">", texts.language, texts.direction().as_str());
        assert!(html.contains(&opening), "{html}");
        let english = CATALOGUE[0].code.title;
        let html = code(frame(texts.language), six(), None, 45).0;
        assert_eq!(html.contains(english), texts.language == "en");
        assert!(html.contains(">0:45") || html.contains("0:45"), "{html}");
        assert!(html.contains("dir=\"ltr\" inputmode=\"numeric\" autocomplete=\"one-time-code\""), "{html}");
    }
}

/// By one word each, which is for programs, it goes to the server and back, and to nobody's eyes.
#[test]
fn what_a_held_code_is_about_is_said_in_the_persons_language() {
    for texts in CATALOGUE {
        let html = some_approvals(frame(texts.language), "", true).0;
        let a = &texts.approvals;
        assert!(html.contains(&format!("<strong>{}</strong>", a.about_reset)), "{}", texts.language);
        assert!(html.contains(&format!(">{}</button>", a.approve_again)), "{}", texts.language);
        assert!(html.contains("name=\"about\" value=\"reset\"") && !html.contains(">reset<"), "{}", texts.language);
        let words = [a.about_reset, a.about_payment, a.about_device];
        assert!(texts.language == "en" || words.iter().all(|word| !word.contains("device")), "{words:?}");
    }
}

#[test]
fn what_strangers_typed_is_text() {
    let evil = "\"><script>alert(1)</script><b a='";
    let framed = Frame { texts: of("en"), product: evil };
    let inbox_of_evil = Inbox::new(10);
    inbox_of_evil.push(captured("\"<script>\"@x.org", "</pre><script>", "482913", "en", Some(evil)), 0);
    let entry = inbox_of_evil.get(1).unwrap();
    let view = |shown| message(&MessageView { entry: &entry, shown, headers: evil });
    for page in [
        address(framed, evil, None),
        code(framed, six(), None, 0),
        other(framed, evil),
        an_account(framed, evil, true),
        an_account(framed, evil, false),
        some_approvals(framed, evil, true),
        any_message(framed, evil),
        some_settings(framed, evil, true),
        an_agent(framed, evil),
        done(framed),
        an_inbox(&inbox_of_evil, Some(evil), None, None),
        an_inbox(&inbox_of_evil, None, Some("script"), Some(9)),
        view(Shown::Html),
        view(Shown::Text),
        view(Shown::Headers),
        failure(&Failure { status: 404, what: evil, hint: evil }),
    ] {
        let html = unscripted(&page);
        assert!(!html.contains("<script") && !html.contains("<b a="), "{html}");
        assert!(html.contains("&#34;&#62;&#60;script&#62;") || html.contains("&#60;script&#62;"), "{html}");
    }
}

#[test]
fn the_field_fits_the_code() {
    let letters = Shape::new(Alphabet::Letters, 8).unwrap();
    for (shape, boxes, mode) in [(six(), 6, "numeric"), (letters, 8, "text"), (Shape::LONG, 0, "text")] {
        let html = code(frame("en"), shape, None, 0).0;
        assert_eq!(html.matches("<span></span>").count(), boxes);
        assert!(html.contains(&format!("inputmode=\"{mode}\"")) && html.contains("maxlength=\"64\""), "{html}");
    }
}

#[test]
fn a_page_in_another_browser_has_nothing_to_press_that_does_anything() {
    for texts in CATALOGUE {
        let html = other(frame(texts.language), "482913").0;
        assert!(!html.contains("<form") && !html.contains("<a href") && html.contains(">482913</p>"), "{html}");
        assert_eq!(html.matches("<button").count(), html.matches("type=\"button\"").count());
    }
}

#[test]
fn without_dev_nothing_points_to_the_inbox() {
    let page = landing(&Landing { base_url: BASE, dev: false, version: "0.1.0" }).0;
    assert!(!page.contains("/dev/"));
}

#[test]
fn the_inbox_says_how_many_it_shows_and_finds_what_is_searched() {
    let many = Inbox::new(200);
    for number in 0..60 {
        many.push(captured(&format!("a{number}@x.org"), "Example", "482913", "en", None), 0);
    }
    let page = an_inbox(&many, None, None, None).0;
    assert!(page.contains("The newest 50 of 60 messages") && page.contains("/dev/inbox?before=11\""), "{page}");
    assert_eq!(page.matches("<article").count(), 50);
    let page = an_inbox(&many, None, None, Some(11)).0;
    assert!(page.contains("10 older of 60 messages") && !page.contains("before="), "{page}");
    for (search, count) in
        [("A59@X.org", "1 message with"), ("your example", "The newest 50 of 60"), ("none", "Nothing with")]
    {
        assert!(an_inbox(&many, None, Some(search), None).0.contains(count), "{search}");
    }
    let page = inbox(&InboxView { entries: &[], to: Some("b@x.org"), search: None, before: None, base_url: BASE }).0;
    assert!(page.contains("Nothing to <b>b@x.org</b>"));
}

#[test]
fn a_mail_is_shown_as_it_was_made() {
    let entry = some_mail().get(1).unwrap();
    assert_eq!(&mail(&entry).0, entry.message().html.expose());
    assert!(a_message(3, Shown::Text).0.contains("<pre lang=\"ar\" dir=\"auto\">"));
}

/// Writes every page to the folder `target/pages`, to be looked at. Not a test of anything.
#[test]
#[ignore = "writes files, for whoever wants to look at the pages"]
fn write_every_page() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/pages");
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    std::fs::write(folder.join("assets/style.css"), crate::web::assets::STYLE.text).unwrap();
    std::fs::write(folder.join("assets/door.js"), crate::web::assets::SCRIPT.text).unwrap();
    std::fs::write(folder.join("assets/approvals.js"), APPROVALS.text).unwrap();
    for (name, page) in every_page() {
        std::fs::write(folder.join(format!("{name}.html")), page.0).unwrap();
    }
}
