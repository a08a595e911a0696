//! Mail that a forwarder passed on, and so broke the sender's signature: what the forwarder saw, under its own seal (ARC, RFC 8617).
//! Refuses the word of any forwarder that the owner does not trust, of any but the last, one that can be read in two ways, and whatever went
//! through a mailing list: there the one who wrote is not the one who is shown.

use mail_auth::common::crypto::Algorithm;
use mail_auth::common::headers::Header;
use mail_auth::{AuthenticatedMessage, DkimResult, Parameters, arc};

use super::keys::Fetched;
use super::tags::Tags;
use super::verified::{Case, MAX_SIGNATURES, Outcome};
use super::{domain, signature};

/// What the chain comes to, and the trusted forwarder that says so.
pub(super) async fn outcome(case: &Case<'_>, message: &AuthenticatedMessage<'_>) -> (Outcome, Option<String>) {
    let Some(sealer) = trusted(case, message) else {
        return (Outcome::Nothing("no forwarder that is trusted sealed it"), None);
    };
    let outcome = match links(case, message).await {
        Ok(fetched) => passes(case, message, &fetched).await,
        Err(outcome) => outcome,
    };
    (outcome, Some(sealer))
}

/// The last forwarder, if it is trusted and what it says of the sender is enough.
fn trusted(case: &Case<'_>, message: &AuthenticatedMessage<'_>) -> Option<String> {
    let sets = message.as_headers.len();
    let (seal, signed, results) =
        (message.as_headers.last()?, message.ams_headers.last()?, message.aar_headers.last()?);
    let whole = sets <= MAX_SIGNATURES && message.ams_headers.len() == sets && message.aar_headers.len() == sets;
    let last = [seal.header.i, signed.header.i, results.header.i].iter().all(|i| usize::try_from(*i) == Ok(sets));
    let named = seal.header.d == signed.header.d && case.expected.trusted_sealers.contains(&seal.header.d.as_str());
    let is_senders = |signer: &str| domain::is_aligned(case.from.domain(), signer);
    // What the forwarder says that it saw still stands there, though what it proved is broken.
    let stands = message.dkim_headers.iter().any(|signature| is_senders(&signature.header.d));
    let saw = saw(str::from_utf8(results.value).ok()?, is_senders);
    let fine = whole && last && named && stands && saw && !message.has_arc_errors && !case.parsed.has_list_id;
    fine.then(|| seal.header.d.clone())
}

/// Gets every key of the chain. Err: what it comes to without.
async fn links(case: &Case<'_>, message: &AuthenticatedMessage<'_>) -> Result<Fetched, Outcome> {
    let fetched = Fetched::default();
    let signed = message.ams_headers.last().ok_or(Outcome::Nothing("no forwarder sealed it"))?;
    let fit = |outcome| if outcome == Outcome::Proves { Ok(()) } else { Err(outcome) };
    fit(case.fetch(&signed.header, &fetched).await)?;
    for seal in &message.as_headers {
        let once = str::from_utf8(seal.value).ok().and_then(Tags::read).is_some();
        if !once || seal.header.a == Algorithm::RsaSha1 {
            return Err(Outcome::Nothing("a forwarder's seal is of a kind that proves nothing"));
        }
        fit(case.fetch(&seal.header, &fetched).await)?;
    }
    Ok(fetched)
}

async fn passes(case: &Case<'_>, message: &AuthenticatedMessage<'_>, fetched: &Fetched) -> Outcome {
    let signed: Option<&Header<'_, arc::Signature>> = message.ams_headers.last();
    let Some(tags) = signed.and_then(|signed| Tags::read(str::from_utf8(signed.value).ok()?)) else {
        return Outcome::Nothing("a forwarder's signature can be read in two ways");
    };
    if let Some(why) = signature::flaw(&tags, case.expected.now).or_else(|| case.open(&tags)) {
        return Outcome::Nothing(why);
    }
    let parameters = Parameters::new(message).with_txt_cache(fetched);
    let checked = case.keys.authenticator().verify_arc(parameters).await;
    match checked.result() {
        DkimResult::Pass => Outcome::Proves,
        _ => Outcome::Nothing("its chain of forwarders is broken"),
    }
}

/// Whether the sender's signature passed, and none of theirs did not, by the value of ARC-Authentication-Results (RFC 8601 section 2.2). What a
/// forwarder writes into it of the envelope is a stranger's text: it must not be able to end where the forwarder's words go on.
fn saw(value: &str, is_senders: impl Fn(&str) -> bool) -> bool {
    let results = results(value);
    let mut senders = results.iter().filter(|result| result.signer.as_deref().is_some_and(&is_senders)).peekable();
    has_one_reading(value) && senders.peek().is_some() && senders.all(|result| result.passed)
}

/// Whether comments begin and end once, and have nothing in them that some readers pass over.
fn has_one_reading(value: &str) -> bool {
    let (mut comment, mut quoted) = (false, false);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, comment) {
            ('\\', false) if quoted => drop(chars.next()),
            ('"', false) => quoted = !quoted,
            (_, false) if quoted => {}
            ('(', false) => comment = true,
            (')', true) => comment = false,
            (')', false) | ('(' | '"' | '\\', true) => return false,
            _ => {}
        }
    }
    !comment && !quoted
}

/// Every domain that a message was judged by on its way, by the value of ARC-Authentication-Results, passed or not.
pub(super) fn mentioned(value: &str) -> Vec<String> {
    results(value).into_iter().filter_map(|result| result.signer).collect()
}

/// One `dkim=` of the results.
struct Said {
    passed: bool,
    signer: Option<String>,
}

fn results(value: &str) -> Vec<Said> {
    let value = bare(value);
    // The instance and the name of the server stand before the results.
    value.split(';').skip(2).filter_map(said).collect()
}

fn said(result: &str) -> Option<Said> {
    let mut words = result.split_ascii_whitespace();
    let (method, word) = words.next()?.split_once('=')?;
    if !method.split('/').next()?.eq_ignore_ascii_case("dkim") {
        return None;
    }
    let properties: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
    let of =
        |name: &str| properties.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    // Some say who signed by domain, some by its identity, which is at that domain or below it.
    let signer =
        of("header.d").or_else(|| of("header.i").map(|identity| identity.rsplit('@').next().unwrap_or_default()));
    Some(Said { passed: word.eq_ignore_ascii_case("pass"), signer: signer.and_then(domain::canonical) })
}

/// Without comments and without spaces around `=`; what was quoted has none of the characters left that would divide it.
fn bare(value: &str) -> String {
    let (mut bare, mut comments, mut quoted) = (String::new(), 0_u32, false);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || comments > 0 => drop(chars.next()),
            '"' if comments == 0 => quoted = !quoted,
            ';' | ' ' | '\t' | '\r' | '\n' | '=' if quoted => bare.push('_'),
            _ if quoted => bare.push(c),
            '(' => comments += 1,
            ')' => comments = comments.saturating_sub(1),
            _ if comments > 0 => {}
            '=' => {
                bare.truncate(bare.trim_end().len());
                bare.push(c);
            }
            c if c.is_ascii_whitespace() && bare.ends_with('=') => {}
            _ => bare.push(c),
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_read_of_results_only() {
        let said = "i=2; mx.fwd.com;\r\n dkim=pass (2048 bits) header.i=@Acme.com header.s=s;\r\n\tdkim = pass header.d=esp.net";
        let said = format!("{said}; spf=pass smtp.mailfrom=x@bank.com\r\n");
        let saw_of = |value: &str, domain: &str| saw(value, |signer| signer == domain);
        assert!(saw_of(&said, "acme.com") && saw_of(&said, "esp.net") && !saw_of(&said, "bank.com"));
        for hidden in [
            "i=1; mx; spf=pass (dkim=pass header.d=bank.com) smtp.mailfrom=x",
            "i=1; mx; spf=pass smtp.mailfrom=\"x; dkim=pass header.d=bank.com; @y.com\"",
            "i=1; mx; spf=pass reason=\"\\\"; dkim=pass header.d=bank.com\"",
            "i=1; mx; dkim=fail header.d=bank.com",
            "i=1; mx; dkim=pass header.d=bank.com; dkim=fail header.d=bank.com",
            "i=1; mx; dkim=passed header.d=bank.com",
            "i=1; mx; dkim-atps=pass header.d=bank.com",
            "i=1; mx; xdkim=pass header.d=bank.com",
            "i=1; dkim=pass header.d=bank.com",
            "i=1; mx; dkim=none; arc=pass header.d=bank.com",
            "i=1; mx; dkim=pass header.b=x header.i=bank.com@evil.com",
            // The envelope's sender, as a forwarder copies it into a comment.
            "i=1; mx; spf=pass (mx: domain of \"a) ; dkim=pass header.d=bank.com (b\"@evil.com designates 192.0.2.1) smtp.mailfrom=x",
            "i=1; mx; spf=pass (mx: domain of a) ; dkim=pass header.d=bank.com (b\\)@evil.com) smtp.mailfrom=x",
            "i=1; mx; spf=pass (mx: (x) ; dkim=pass header.d=bank.com",
            "i=1; mx; spf=pass x) ; dkim=pass header.d=bank.com",
        ] {
            assert!(!saw_of(hidden, "bank.com"), "{hidden}");
        }
        assert_eq!(mentioned("i=1; mx; dkim=fail header.d=bank.com"), ["bank.com"]);
    }
}
