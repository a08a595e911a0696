//! English, and the words that messages in other languages borrow from it.

use super::Language;

pub(super) const ENGLISH: Language = Language {
    tag: "en",
    otp: "otp*, *otp, onetime password*, one time password*, one-time password*, one time pin*, one-time pin*, \
          one time code*, one-time code*, onetime code*, one time passcode*, one-time passcode*, single use code*, \
          single-use code*, temporary password, temporary code*, temporary pin, temporary passcode, passcode*, \
          verification code*, verification number*, verification pin, verification token, verify code, \
          verifycode, verificationcode, confirm code, \
          authentication code*, authentication number, authenticator code, authentication token, \
          security code*, secure code, security pin, security token, login code*, log in code, log-in code, signin code, \
          sign in code, sign-in code*, login pin, login token, access code*, activation code*, activation pin, activation key, \
          2fa code, mfa code, two factor code, two-factor code, two-step code, 2-step code, 2fa token, 2fa, \
          registration code, sign up code, signup code, recovery code, reset code, password reset code, \
          device code, identity code, identification code, \
          delivery pin, delivery otp, mtan, smstan, onlinecode, secret code, secret password, tac code, tac number, \
          tac, validation code, validation pin, verification key, v-code, vcode, sms code, smscode, dynamic password, \
          dynamic code, safepass code, transaction password, unlock code, secret otp, login passcode",
    code: "code, codes, pin, password, passwords, passphrase*, pass phrase*, token, pincode, pin-code, pwd, passkey, *code",
    auth: "verif*, authenticat*, authoriz*, authoris*, confirm, confirming, confirms, confirm your, login, log in, \
           log-in, logging in, log on, logon, sign in, sign-in, signin, signing in, sign up, sign-up, signup, \
           register, registering, registration, activate, activation, two-factor, two-step, 2-step, \
           one-time, onetime, one time, identity, validate, validation, recover, recovery, reset, \
           secure, security, access, approve, unlock, complete your, proceed, link your, device",
    is: "is, as, are, use, enter, with, below, following, equals, was, type, input, using, here, it's, be",
    life: "expire*, valid for, valid until, valid till, is valid, expiry, minute, minutes, mins, min, \
           if you did not request, if you didn't request, \
           if you did not, if you didn't, did not request, didn't request, not you, ignore this, ignore",
    keep: "share, sharing, disclose, disclosing, reveal, forward, give it, give this, tell anyone, ask for, asks for, \
           asking for, never ask, will not ask, won't ask, asked for, keep this, keep it, don't tell, confidential, \
           anyone, reveal, to anyone, with anyone, not use, never give, never enter, revealing",
    number: "order*, invoice*, inv, receipt*, bill, billing, ref, ref no, reference*, refno, txn*, transaction*, trans id, \
             utr, rrn, upi ref, imps, neft, trx*, tid, id, ids, a/c, ac, acc, acct, account*, card*, ending, \
             ending with, ending in, ends with, ends in, ended, last 4, last four, phone*, call, calls, tel, telephone, \
             mobile, mob, cell, fax, contact, helpline, hotline, toll free, tollfree, whatsapp at, dial, sms to, \
             text to, reply, send to, txt to, txt, tracking*, track, awb, waybill, parcel, package*, shipment*, consignment, ticket*, \
             booking*, reservation*, pnr, flight*, train, seat, seats, coach, gate, platform, room, floor, apt, apartment, \
             suite, unit, zip, postal*, po box, version, serial*, model, case*, incident, policy, member*, \
             customer*, client id, user id, userid, cif, employee, student, batch, lot, sku, item*, product*, \
             qty, quantity, balance, bal, avl bal, avbl, avl, available, total, subtotal, amount, amt, paid, payment of, \
             sum, debited*, credited*, spent, withdrawn, deposited, deposit, limit, emi, due, fee, price, cost, \
             copyright, since, year, port, error*, http, build, release, extension, ext, locker, table, queue, box, \
             street, vehicle, license plate, plate, registration number, registration no, serial no, confirmation number*, confirmation no, \
             confirmation #, request no, request number, application no, application number, complaint, docket, sr no, \
             srn, ticket id, folio, demat, ipo, isbn, vat, tax, gst, swift, iban, bic, routing, sort code, \
             branch, approval code, auth no, approval no, appr, points, code no, score, over, followers, shortcode, guest, guests, nights, itinerary, hotel, your stay, check-in, check-out, passenger*, trip, approved, \
                          short code, stop to, to stop, help to, bank, towards, on-time, meter, session, agent, remarks, gstin, mid, \
             terminal, trace, stan",
    promo: "promo, promo code*, promocode*, promotion*, promotional, coupon*, voucher*, discount*, gift*, gift card*, giftcard*, referral*, refer, \
            referrer, invite, invite code, invitation code*, redeem*, offer, offers, sale, cashback, bonus, \
            off, save, deal, deals, claim*, prize*, win, won, winner*, winning, award*, jackpot, lottery, competition, draw, \
            zip code*, zipcode*, postcode*, post code*, postal code*, area code*, country code*, dial code, dialing code, \
            error code*, status code*, exit code, source code, qr code*, qrcode*, barcode*, bar code*, ussd code, \
            product code*, item code, tracking code*, booking code*, reservation code*, order code*, ticket code*, \
            pickup code*, pick-up code*, pick up code*, collection code*, ifsc code, swift code, branch code, bank code, hs code, \
            dress code, claim code*, customer code, client code, tax code, vendor code, merchant code, shop code, store code, \
            supplier code, sort code, color code, colour code, airport code, currency code, agent code, \
            course code, class code, project code, company code, unit code, fault code, part code, approval code*, \
            hash code, morse code, code of conduct, code of, building code, quote, quoting, selected, congratulations, lucky, disc, ringtone*, poly, \
            trouble code, response code, result code, event code, meeting id, conference code, locker code, \
            webinar id*, \
            gate code, door code, wifi password, wi-fi password, statement password, pdf password, pin code of, \
            download code, game code, steam key, license code, licence code, license key, product key, serial key, \
            booking ref*, check-in code, boarding, pnr code, recharge code, encode, decode, opcode, geocode, \
            keycode, unicode, bitcode, transcode",
    money: "rs, inr, usd, eur, gbp, lkr, npr, pkr, bdt, aed, sar, qar, kwd, bhd, omr, egp, php, idr, myr, sgd, thb, vnd, \
            jpy, cny, rmb, krw, hkd, twd, aud, nzd, cad, chf, sek, nok, dkk, pln, czk, huf, ron, bgn, rub, uah, \
            kzt, brl, mxn, ars, clp, cop, pen, zar, ngn, kes, ksh, tzs, tsh, ugx, ghs, etb, mzn, mt, birr, dollar*, \
            euro, euros, pound*, rupee*, rupees, cents, usdt, btc, eth, crores, lakh, lakhs, rm, rp, kr, zl, hrk",
    unit: "minute*, min, mins, hour*, hr, hrs, day, days, week*, month*, months, year*, years, second*, sec, secs, percent, pct, \
           off, gb, mb, kb, tb, kg, km, lbs, miles, mile, points, pts, items, people, users, times, am, pm, hz, rs, \
           unread, messages, members, employees, st, street, ave, avenue, road, rd, blvd, boulevard, lane, drive, dr, \
           dollars, euros, eur, usd, inr, pounds, views, likes, steps, credits, tokens, attempts, characters, digits, \
           digit, ms, p/min, ppm, followers, more, others, nights, night, guests, passengers, pcs, pieces",
};
