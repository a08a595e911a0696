//! Finnish, Estonian, Hungarian, the Turkic languages, Mongolian, Basque, Albanian, Maltese and the Celtic languages.

use super::{Language, NONE};

pub(super) const URALIC_TURKIC: &[Language] = &[
    Language {
        tag: "fi",
        otp: "vahvistuskoodi*, varmistuskoodi*, todennuskoodi*, turvakoodi*, kertakäyttö* salasana*, kertakäyttö* koodi*, kertakäyttökoodi*, kertakäyttösalasana*, \
              kirjautumiskoodi*, aktivointikoodi*, tunnistautumiskoodi*, tunnuskoodi*, tarkistuskoodi*, pääsykoodi*, kertakoodi*, avainkoodi*, tunnuksesi on, \
              turvatunnus*, sms-koodi*, vahvistustunnus*",
        code: "koodi*, salasana*, tunnusluku*, tunnus, tunnuksesi, *koodi, *koodisi",
        auth: "vahvist*, varmist*, todenn*, kirjaudu*, kirjautu*, rekisteröi*, aktivoi*, kertakäyt*, turva*, tunnist*, palaut*",
        is: "on, syötä, käytä, anna",
        life: "voimassa*, vanhenee*, minuut*, ei ole pyytänyt",
        keep: "älä, jaa, kenellekään, kerro, koskaan, luovuta",
        number: "tilau*, lasku*, tili, tilin, tilille, kort*, puhelin*, soita*, paket*, lähety*, varau*, summa, summan, saldo*, yhteensä, numero*, asiakas*, osoite*, viite*, maksu*",
        promo: "alennus*, kuponki*, lahja*, tarjous*, postinumero*, alekoodi*, noutokoodi*, viivakoodi*, kampanjakoodi*, etukoodi*",
        unit: "minuut*, min, tunti*, tuntia, päivä*, kuukau*, vuot*, sekun*, prosent*, euroa, pistettä",
        ..NONE
    },
    Language {
        tag: "et",
        otp: "kinnituskood*, turvakood*, ühekordne kood*, ühekordne parool*, ühekordse parooli*, sisselogimiskood*, aktiveerimiskood*, autentimiskood*, \
              kontrollkood*, pääsukood*, tuvastuskood*, verifitseerimiskood*, registreerimiskood*",
        code: "kood*, parool*, *kood, *koodi, tunnuskood*, loatunnus*",
        auth: "kinnit*, logi sisse, sisselogi*, registreeri*, aktiveeri*, ühekord*, turva*, autent*, tuvasta*, verifits*, lähtesta*",
        is: "on, sisesta, sisestage, kasuta, kasutage",
        life: "kehti*, aegub*, minut*",
        keep: "jaga*, kellegagi, mitte kunagi, ära",
        number: "tellimu*, arve*, konto*, kaar*, telefon*, helista*, pakk*, saadeti*, broneer*, summa, saldo*, kokku, number*, aadress*, makse*",
        promo: "sooduskood*, allahind*, kupong*, kink*, pakkumi*, sihtnumber*, postiindeks*",
        unit: "minut*, tund*, tunni, päeva*, kuu*",
        ..NONE
    },
    Language {
        tag: "hu",
        otp: "ellenőrző kód*, ellenőrzőkód*, megerősítő kód*, megerősítőkód*, biztonsági kód*, egyszer használatos*, egyszeri jelszó*, egyszeri kód*, \
              belépési kód*, bejelentkezési kód*, aktiváló kód*, aktivációs kód*, hitelesítő kód*, hitelesítési kód*, hitelesítőkód*, azonosító kód*, sms kód*, \
              visszaigazoló kód*, belépőkód*, jóváhagyó kód*, hozzáférési kód*",
        code: "kód, kódja, kódod, kódot, kódjával, kóddal, jelszó*, jelszav*, pin-kód*, *kód, *kódja, *kódod, token*",
        auth: "ellenőr*, megerős*, belép*, bejelentkez*, regisztr*, aktivál*, hiteles*, egyszer*, biztonság*, azonos*, visszaáll*, jóváhagy*",
        is: "a, az, írja be, használja, használd, következő, ez, adja meg",
        life: "érvényes*, lejár*, percig, percen",
        keep: "ossza meg, oszd meg, senki*, soha, adja ki, megoszt*",
        number: "rendelés*, megrendelés*, számla*, számlá*, kárty*, telefon*, hívja*, csomag*, küldemény*, foglalás*, összeg*, egyenleg*, összesen, szám*, cím, utca, ügyszám*, fizet*",
        promo: "kupon*, kedvezmény*, ajándék*, akció*, irányítószám*, promóciós*, utalvány*, vonalkód*, nyer*",
        money: "ft, forint*, huf",
        unit: "perc*, óra*, órá*, nap*, hónap*, év*, másodperc*, százalék, pont, fő",
    },
    Language {
        tag: "tr",
        otp: "doğrulama kodu*, onay kodu*, güvenlik kodu*, tek kullanımlık*, aktivasyon kodu*, giriş kodu*, giriş şifre*, sms şifre*, \
              tek seferlik şifre*, tek seferlik kod*, kimlik doğrulama kodu*, onay şifre*, sms kodu*, erişim kodu*, doğrulama kodunuz*, teyit kodu*, şifreniz, kayıt kodu*, \
              mobil onay kodu, dogrulama kod*, guvenlik kod*, 3d secure",
        code: "kod, kodu, kodunuz*, kodun, kodunu, kodla, kodlar, şifre*, parola*, pin",
        auth: "doğrula*, onay*, giriş*, kayıt*, kaydol*, aktivasyon*, etkinleştir*, güvenlik*, kimlik*, tek kullanım*, oturum*, sıfırla*, teyit*, erişim*",
        is: "ile, kullan*, girin, giriniz, aşağıdaki, olarak, şudur",
        life: "geçerli*, süresi, dakika*, dk, talep etmediyseniz, dikkate almay*",
        keep: "paylaşma*, paylasma*, kimse*, asla, söylemeyin*, vermeyin*, bildirmeyin",
        number: "sipariş*, fatura*, hesap*, hesab*, kart*, telefon*, arayın, ara, kargo*, takip*, gönderi*, paket*, rezervasyon*, bilet*, uçuş*, sefer, \
                 tutar*, bakiye*, toplam*, ödeme*, havale*, eft, fiş*, numara*, adres*, sok, cad, referans*, ref, işlem*, müşteri*, son dört",
        promo: "indirim*, kupon*, hediye*, kampanya*, promosyon*, fırsat*, kazan*, ödül*, posta kodu*, takip kodu*, teslimat kodu, rezervasyon kodu*, çekiliş*, \
                referans kodu, davet kodu*, alan kodu, pnr kodu",
        money: "tl, lira*, kuruş",
        unit: "dakika*, dk, saat*, sa, gün*, ay, yıl*, saniye*, sn, puan*, adet, tl, lira",
    },
    Language {
        tag: "az",
        otp: "təsdiq kodu*, doğrulama kodu*, təhlükəsizlik kodu*, birdəfəlik kod*, birdəfəlik parol*, birdəfəlik şifrə*, giriş kodu*, təsdiqləmə kodu*, aktivləşdirmə kodu*, \
              identifikasiya kodu*, autentifikasiya kodu*",
        code: "kod, kodu, kodunuz*, kodun, parol*, şifrə*",
        auth: "təsdiq*, doğrula*, giriş*, daxil ol*, qeydiyyat*, birdəfəlik*, təhlükəsizlik*, aktivləş*, autentif*, identifik*",
        is: "ilə, istifadə, daxil edin",
        life: "etibarlı*, dəqiqə*",
        keep: "paylaşma*, heç kim*, bölüşmə*, deməyin, verməyin",
        number: "sifariş*, hesab*, kart*, telefon*, məbləğ*, balans*, ödəniş*, nömrə*, zəng",
        promo: "endirim*, kupon*, hədiyyə*, promo*, poçt indeksi",
        money: "azn, manat*",
        unit: "dəqiqə*, saat*, gün*, azn",
    },
    Language {
        tag: "uz uz-Cyrl",
        otp: "tasdiqlash kodi*, tasdiq kodi*, bir martalik kod*, bir martalik parol*, xavfsizlik kodi*, kirish kodi*, faollashtirish kodi*, tekshirish kodi*, \
              тасдиқлаш коди*, бир марталик*, тасдиқ коди*, ro'yxatdan o'tish kodi, autentifikatsiya kodi",
        code: "kod, kodi, kodingiz*, kodni, parol*, коди, кодингиз*, пароль*, parolingiz",
        auth: "tasdiq*, kirish*, ro'yxat*, ro‘yxat*, faollash*, xavfsizlik*, tekshir*, тасдиқ*, кириш*, рўйхат*, autentif*",
        is: "bilan, kiriting, киритинг",
        life: "amal qiladi, daqiqa*, дақиқа*",
        keep: "hech kim*, bermang, aytmang, ulashmang, ҳеч ким*, берманг",
        number: "buyurtma*, hisob*, karta*, telefon*, summa*, balans*, qoldiq*, to'lov*, raqam*",
        promo: "chegirma*, promokod*, sovg'a*, aksiya*",
        money: "so'm, som, сум, uzs",
        unit: "daqiqa*, soat, kun",
    },
    Language {
        tag: "kk ky mn tg tt",
        otp: "растау коды*, растау кодыңыз*, бір реттік*, қауіпсіздік коды*, кіру коды*, тексеру коды*, белсендіру коды*, аутентификация коды*, \
              ырастоо коду*, текшерүү коду*, бир жолку*, коопсуздук коду*, кирүү коду*, тастыктау коду*, раслау коды*, баталгаажуулах код*, баталгаажуулалтын код*, \
              нэг удаагийн*, нэвтрэх код*, ҳақиқӣ*, рамзи тасдиқ*, рамзи якдафъаина*, рамзи тасдиқкунӣ*, тасдыклау коды*",
        code: "код, коды, кодыңыз*, коду, кодуңуз*, кодын, құпиясөз*, құпия сөз*, сырсөз*, нууц үг*, рамз*, парол*, кодоор, серсүз*",
        auth: "растау*, растаңыз*, кіру*, тіркел*, тіркеу*, белсендір*, қауіпсіз*, тексеру*, ырасто*, кирүү*, каттал*, текшер*, баталгаажуул*, нэвтрэх*, \
               бүртгүүл*, тасдиқ*, сабти ном, аутентификац*, раслау, теркәл*",
        is: "арқылы, менен, енгізіңіз, пайдаланыңыз, таны, юм, бол, аст, киргизиңиз, ашиглан",
        life: "жарамды*, минут*, хүчинтэй",
        keep: "ешкім*, бөліс*, бермеңіз*, айтпаңыз*, эч ким*, бөлүш*, хуваалц*, хэнд ч, ба касе",
        number: "тапсырыс*, шот*, карта*, телефон*, сома*, баланс*, төлем*, нөмір*, буйрутма*, эсеп*, захиалга*, данс*, үлдэгдэл*, дүн",
        promo: "жеңілдік*, промокод*, сыйлық*, хөнгөлөлт*, бэлэг*",
        money: "теңге, төгрөг, kzt, сомонӣ",
        unit: "минут*, сағат*, күн*, цаг, өдөр, саат",
    },
    Language {
        tag: "tk",
        otp: "tassyklama kody*, tassyklaýyş kody*, bir gezeklik*, howpsuzlyk kody*, giriş kody*",
        code: "kod, kody, kodyňyz*, parol*, açar söz*",
        auth: "tassykla*, giriş*, hasaba al*, howpsuz*",
        is: "bilen, giriziň",
        ..NONE
    },
    Language {
        tag: "eu",
        otp: "egiaztapen-kode*, egiaztatze-kode*, egiaztapen kode*, egiaztatze kode*, segurtasun-kode*, segurtasun kode*, erabilera bakarreko*, sarbide-kode*, \
              autentifikazio-kode*, autentifikazio kode*, baieztapen-kode*, behin erabiltzeko*, autentikazio kode*",
        code: "kodea*, kode, pasahitz*, kodeak",
        auth: "egiazta*, baiezta*, segurtasun*, saioa*, erregistra*, aktiba*, autentifika*, autentika*, berrezar*, sarbide*",
        is: "da, erabili, idatzi, honekin, hau",
        life: "iraungi*, minutu*, balio*",
        keep: "partekatu*, inorekin, inori",
        number: "eskaera*, faktura*, kontu*, txartel*, telefono*, deitu, zenbateko*, saldo*, erreserba*",
        promo: "deskontu*, kupoi*, opari*, posta-kode*",
        unit: "minutu*, ordu*, egun*",
        ..NONE
    },
    Language {
        tag: "sq",
        otp: "kodi i verifikimit*, kodi verifikues*, kodi i konfirmimit*, kodi i sigurisë*, kod njëpërdorimësh*, fjalëkalim njëpërdorimësh*, kodi i hyrjes*, \
              kodi i aktivizimit*, kodin e verifikimit*, kodi juaj i verifikimit*, kod verifikimi*, kodi i vërtetimit*, kodi juaj i konfirmimit*, kodi i mirëfilltësimeve*, kodi mirëfilltësimi*",
        code: "kod, kodi*, kodin, fjalëkalim*",
        auth: "verifik*, konfirm*, vërtet*, hyr*, regjistr*, aktiviz*, siguri*, njëpërdor*, mirëfilltës*, identifik*, rivendos*",
        is: "është, me, përdor*, shkruani, fut*",
        life: "skadon*, vlen*, vlefsh*, minuta*",
        keep: "ndani*, askënd*, asnjë, kurrë, tregoni, shpërndani*, ndaj",
        number: "porosi*, fatur*, llogari*, kart*, telefon*, shuma*, bilanc*, gjendj*, rezervim*, numr*",
        promo: "zbritj*, kupon*, dhurat*, kodi postar*, promo*",
        unit: "minut*, orë, ditë",
        ..NONE
    },
    Language {
        tag: "mt",
        otp: "kodiċi ta' verifika*, kodiċi ta' konferma*, kodiċi tas-sigurtà*, kodiċi ta’ verifika*, kodiċi ta' aċċess*, password ta' darba",
        code: "kodiċi*, password",
        auth: "verifika*, ivverifik*, konferma*, ikkonferma*, irreġistra*, sigurtà, idħol",
        is: "huwa, hu, b', uża",
        ..NONE
    },
    Language {
        tag: "ga cy gd br",
        otp: "cód fíoraithe*, cód dearbhaithe*, cód slándála*, cód aon uaire*, cód deimhnithe*, cód rochtana*, cód fíordheimhnithe*, cód fíordheimhniúcháin*, chód fíoraithe*, chód deimhnithe*, \
              cod dilysu*, cod cadarnhau*, cod diogelwch*, cod gwirio*, cyfrinair untro*, còd dearbhaidh*, boneg gadarnaat*, kod gwiriañ*, còd-dearbhaidh*",
        code: "cód, chód, gcód, pasfhocal*, phasfhocal*, focal faire, cod, còd, cyfrinair*, côd, kod, ger-tremen",
        auth: "fíor*, dearbh*, deimhn*, clár*, logáil*, slándála*, dilys*, cadarn*, gwirio*, cofrestr*, mewngof*, diogelwch, gwiriañ",
        is: "le, is é, agus, yw, ydy, gyda, úsáid, eo",
        life: "nóiméad*, imeoidh, munud*, dod i ben",
        keep: "comhroinn*, roinn*, aon duine, rhann*, neb, unrhyw un",
        number: "ordú*, cuntas*, cárta*, archeb*, cyfrif*, cerdyn",
        promo: "lascain*, disgownt*, cód poist*, cod post*",
        unit: "nóiméad*, munud*",
        ..NONE
    },
];
