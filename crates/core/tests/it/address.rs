//! What all addresses have in common.

use doorcode_core::{Address, Email, Phone};

#[test]
fn behaves_like_what_it_holds() {
    let email = Email::parse("Jane.Doe+news@Example.com").unwrap();
    let phone = Phone::parse("+49 151 12345678").unwrap();
    let (a, b) = (Address::from(email.clone()), Address::from(phone.clone()));
    assert_eq!(a.as_str(), email.as_str());
    assert_eq!(a.masked(), email.masked());
    assert_eq!(a.folded(), "janedoe@example.com");
    assert_eq!(b.as_str(), "+4915112345678");
    assert_eq!(b.masked(), "+49***78");
    assert_eq!(b.folded(), "+4915112345678");
    assert_ne!(a, b);
}

#[test]
fn prints_only_masks() {
    let address = Address::from(Email::parse("jane@example.com").unwrap());
    assert_eq!(format!("{address:?}"), "Email(j***@e***.com)");
    let address = Address::from(Phone::parse("+4915112345678").unwrap());
    assert_eq!(format!("{address:?}"), "Phone(+49***78)");
}
