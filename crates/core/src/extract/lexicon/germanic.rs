//! German, Dutch, Afrikaans, Swedish, Danish, Norwegian, Icelandic, Luxembourgish, Yiddish in Latin letters.

use super::{Language, NONE};

pub(super) const GERMANIC: &[Language] = &[
    Language {
        tag: "de",
        otp: "bestätigungscode*, *bestätigungscode, verifizierungscode*, verifikationscode*, *sicherheitscode, \
              sicherheitsschlüssel, einmalcode*, einmal-code*, einmalpasswort*, einmalkennwort*, einmal-passwort, \
              einmaliger code, einmaliges passwort, anmeldecode*, login-code*, logincode*, zugangscode*, \
              aktivierungscode*, freischaltcode*, freischalt-code*, authentifizierungscode*, *authentifizierungscode, \
              identifizierungscode*, registrierungscode*, tan, mtan, smstan, pushtan, mobiletan, bestätigungs-code, \
              zwei-faktor-code*, wiederherstellungscode*, zugriffscode*, prüfcode, freigabecode*, sms-code",
        code: "code, codes, kennwort*, passwort*, pin, ziffern, zugangsdaten, zahlencode, schlüssel",
        auth: "bestätig*, verifizier*, authentifizier*, anmeld*, anzumelden, einlogg*, einzuloggen, einmal*, registrier*, aktivier*, \
               freischalt*, zurücksetz*, wiederherstell*, identität, sicherheits*, zugang*, freigabe, freigeben, legitimier*",
        is: "ist, lautet, lauten, ein, eingeben, folgenden, folgender, mit, sie, verwenden, als, nutzen",
        life: "gültig*, läuft ab, minuten, ablauf*, nicht angefordert, ignorieren, verfällt",
        keep: "weitergeben, weiterleiten, weitergegeben, teilen, niemandem, niemals, geheim*, mitteilen, preisgeben, geben sie",
        number: "bestell*, auftrag*, rechnung*, kundennummer*, kunden-nr, vertrag*, konto*, karte*, kreditkarte*, \
                 telefon*, anruf*, rufen, rufnummer, sendung*, paket*, lieferung*, buchung*, reservierung*, ticket*, \
                 vorgang*, aktenzeichen, referenz*, beleg*, zimmer*, plz, postleitzahl*, straße, str, hausnummer, \
                 betrag*, summe, gesamt*, saldo, kontostand, guthaben, überweis*, endet auf, endend*, mitglied*, \
                 seriennummer*, fahrzeug*, kennzeichen, termin, gebühr*, preis*, aktion*, nummer, bestellnummer",
        promo: "gutschein*, rabatt*, aktionscode*, promo*, sparcode, vorteilscode*, gewinn*, postleitzahl*, abholcode*, \
                gutscheincode*, buchungscode*, freundschaftscode, einladungscode*, empfehlungscode*, vorwahl*, \
                fehlercode*, sendungscode, quellcode",
        money: "euro, eur, chf, franken, cent",
        unit: "minuten, minute, stunden, stunde, tage, tagen, tag, monate, monaten, jahre, jahren, wochen, sekunden, uhr, \
               prozent, punkte, km, personen",
    },
    Language {
        tag: "nl",
        otp: "verificatiecode*, bevestigingscode*, beveiligingscode*, inlogcode*, toegangscode*, eenmalige code*, \
              eenmalig wachtwoord, eenmalige toegangscode, activatiecode*, activeringscode*, authenticatiecode*, sms-code*, \
              controlecode*, eenmalige pincode, herstelcode*, registratiecode*, tan-code",
        code: "code, codes, wachtwoord*, pincode*, toegangscode, cijfers, *code",
        auth: "verifi*, verificatie*, bevestig*, aanmeld*, inlog*, in te loggen, loggen, log in, registre*, eenmalig*, activ*, beveilig*, \
               authenti*, herstel*, identiteit, account te, toegang",
        is: "is, met, in te, voer, gebruik, volgende, luidt, als",
        life: "geldig*, verloopt, minuten, niet aangevraagd, negeer, verlopen",
        keep: "deel, delen, niemand, nooit, geheim, vertrouwelijk, doorgeven, verstrek",
        number: "bestel*, order*, factuur*, klantnummer, rekening*, kaart*, telefoon*, bel, bellen, pakket*, zending*, \
                 boeking*, reserver*, referentie*, kenmerk, postcode*, bedrag*, saldo, totaal, eindigend*, kamer, \
                 afspraak, nummer, betal*, kosten",
        promo: "korting*, kortingscode*, actiecode*, cadeau*, kadobon*, promo*, vouchercode*, postcode*, afhaalcode*, \
                boekingscode*, uitnodigingscode*, streepjescode*, foutcode*, bestelcode",
        money: "euro, eur",
        unit: "minuten, minuut, uur, uren, dagen, dag, maanden, jaar, seconden, procent, punten",
    },
    Language {
        tag: "af",
        otp: "verifikasiekode*, bevestigingskode*, sekuriteitskode*, eenmalige pin, eenmalige kode, eenmalige wagwoord, \
              toegangskode*, aktiveringskode*",
        code: "kode, kodes, wagwoord*, *kode",
        auth: "verifi*, bevestig*, registreer*, aanmeld*, meld aan, teken in, eenmalig*",
        is: "is, met, gebruik",
        life: "verval*, geldig, minute",
        keep: "deel, niemand",
        number: "bestelling*, faktuur*, rekening*, kaart*, bel, verwysing*, bedrag, totaal, saldo, pakkie",
        promo: "afslag*, koepon*, geskenk*, poskode",
        unit: "minute, ure, dae",
        ..NONE
    },
    Language {
        tag: "sv",
        otp: "verifieringskod*, verifikationskod*, bekräftelsekod*, säkerhetskod*, engångskod*, engångslösenord*, \
              inloggningskod*, aktiveringskod*, autentiseringskod*, åtkomstkod*, sms-kod*, registreringskod*, återställningskod*",
        code: "kod, koden, koder, lösenord*, pinkod*, *kod, *koden",
        auth: "verifi*, bekräft*, logga in, inlogg*, registrer*, aktiver*, engångs*, autentiser*, säkerhets*, återställ*, identitet*",
        is: "är, ange, använd, med, följande",
        life: "giltig*, gäller, går ut, minuter, upphör",
        keep: "dela, ingen, aldrig, lämna ut, hemlig*",
        number: "order*, beställning*, faktura*, kundnummer, konto*, kort*, telefon*, ring, paket*, försändelse*, kolli*, \
                 bokning*, referens*, postnummer, belopp*, saldo, summa, totalt, ärende*, nummer",
        promo: "rabatt*, rabattkod*, kampanjkod*, presentkort*, värdekod*, erbjudande*, vinn*, streckkod*, felkod*, \
                bokningskod*, hämtkod*, inbjudningskod*",
        money: "kronor, sek, kr",
        unit: "minuter, timmar, timme, dagar, dag, månader, år, sekunder, procent, poäng",
    },
    Language {
        tag: "da",
        otp: "verifikationskode*, bekræftelseskode*, sikkerhedskode*, engangskode*, engangsadgangskode*, \
              aktiveringskode*, godkendelseskode*, godkendelses kode*, adgangskode*, loginkode*, sms-kode*, login-kode*",
        code: "kode, koden, koder, adgangskode*, kodeord*, pinkode*, *kode, *koden",
        auth: "bekræft*, verificer*, log ind, logge ind, registrer*, aktiver*, engangs*, godkend*, sikkerheds*, nulstil*",
        is: "er, brug, indtast, med, følgende",
        life: "udløber, gyldig*, gælder, minutter",
        keep: "del ikke, dele, ingen, aldrig, videregiv*, fortrolig*",
        number: "ordre*, bestilling*, faktura*, kundenummer, konto*, kort*, telefon*, ring, pakke*, forsendelse*, booking*, \
                 reference*, sag*, postnummer, beløb*, saldo, total, nummer",
        promo: "rabat*, rabatkode*, kampagnekode*, gavekort*, tilbud*, vinder*, stregkode*, afhentningskode*",
        money: "kroner, dkk, kr",
        unit: "minutter, timer, time, dage, dag, måneder, år, sekunder, procent, point",
    },
    Language {
        tag: "no",
        otp: "bekreftelseskode*, verifiseringskode*, sikkerhetskode*, engangskode*, engangspassord*, innloggingskode*, \
              aktiveringskode*, påloggingskode*, autentiseringskode*, tilgangskode*",
        code: "kode, koden, koder, passord*, *kode, *koden",
        auth: "bekreft*, verifiser*, logg inn, logge inn, innlogging*, pålogging*, registrer*, aktiver*, engangs*, autentiser*, tilbakestill*",
        is: "er, bruk, skriv inn, med, følgende",
        life: "utløper, gyldig*, gjelder, minutter",
        keep: "ikke del, dele, ingen, aldri",
        number: "ordre*, bestilling*, faktura*, kundenummer, konto*, kort*, telefon*, ring, pakke*, sending*, booking*, \
                 referanse*, postnummer, beløp*, saldo, totalt, nummer",
        promo: "rabatt*, rabattkode*, kampanjekode*, gavekort*, tilbud*, strekkode*, hentekode*",
        money: "kroner, nok, kr",
        unit: "minutter, timer, time, dager, dag, måneder, år, sekunder, prosent, poeng",
    },
    Language {
        tag: "is",
        otp: "staðfestingarkóð*, öryggiskóð*, auðkenningarkóð*, einnota kóð*, aðgangskóð*, innskráningarkóð*, staðfestingarnúmer*",
        code: "kóð*, *kóði, *kóðinn, lykilorð*, pin-númer",
        auth: "staðfest*, skrá*, innskrá*, auðkenn*, öryggis*, virkja*",
        is: "er, með, notaðu, sláðu inn",
        life: "gildir, rennur út, mínútur, mínútna",
        keep: "deila, deildu, engum, aldrei",
        number: "pöntun*, reikning*, kort*, sími, pakki, bókun*, upphæð*, staða, tilvísun*",
        promo: "afslátt*, gjafabréf*, póstnúmer*",
        unit: "mínútur, klukkustund*, daga",
        ..NONE
    },
    Language {
        tag: "lb",
        otp: "confirmatiounscode*, verifikatiounscode*, sécherheetscode*, bestätegungscode*",
        code: "code, passwuert*",
        auth: "bestäteg*, verifiz*, umeld*, registréier*, aloggen",
        is: "ass, mat",
        life: "gülteg, gëlteg, minutten",
        keep: "deelt, kengem",
        ..NONE
    },
];
