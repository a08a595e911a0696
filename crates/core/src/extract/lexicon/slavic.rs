//! Slavic and Baltic languages, in Cyrillic and Latin letters, and what is heard of Russian in Latin letters.

use super::{Language, NONE};

pub(super) const SLAVIC: &[Language] = &[
    Language {
        tag: "ru",
        otp: "парол*, код подтверждения*, код* подтвержден*, код* проверки, проверочн* код*, одноразов* код*, одноразов* парол*, код доступа*, \
              код безопасности*, код активации*, код верификации*, код входа*, код для входа*, код регистрации*, \
              код аутентификации*, смс-код*, смс код*, sms-код*, код из смс, секретн* код*, временный пароль*, временный код*, \
              пароль для входа, код для подтверждения*, код для регистрации, код восстановления*, пин-код*, код-пароль, \
              код* сброса, код идентификации",
        code: "код, кода, коду, кодом, коды, пин, токен*, ключ",
        auth: "подтвер*, подтвержд*, авториз*, верифик*, провер*, вход*, войти, войдите, регистр*, зарегистрир*, активац*, активир*, \
               одноразов*, безопасност*, аутентифик*, идентифик*, восстанов*, сброс*, доступ*",
        is: "это, введите, используйте, с, равен, следующий, укажите, ваш",
        life: "действ*, истек*, минут*, срок*, не запрашив*, проигнорир*, игнорир*",
        keep: "сообщайте, сообщать, никому, передав*, никогда, разглаш*, делитесь, делиться, показывайте, говорите",
        number: "заказ*, счет*, счёт*, квитанц*, чек*, накладн*, договор*, карт*, телефон*, тел, звоните, позвоните, посылк*, \
                 отправлен*, трек*, брон*, билет*, рейс*, место, вагон, поезд, комнат*, сумм*, баланс*, остаток, итого, оплат*, платеж*, \
                 перевод*, списан*, зачислен*, покупк*, адрес*, ул, улица, дом, кв, номер*, заявк*, обращен*, клиент*, индекс*, лот, id, \
                 доступно, пополнен*",
        promo: "промокод*, промо-код*, промо код*, скидк*, купон*, бонус*, подар*, акци*, выигр*, приз*, код товара, код ошибки*, \
                почтовый индекс, штрих-код*, штрихкод*, код города, код страны, код получения*, код бронирования*, код выдачи, qr-код*, \
                код заказа*, розыгрыш*, сертификат*",
        money: "руб*, р, коп*, rub, тг, тенге, сом, сум, грн",
        unit: "минут*, мин, час*, ч, дн*, день, недел*, месяц*, лет, год*, секунд*, сек, процент*, балл*, руб*, км, кг, шт, гб, мб",
    },
    Language {
        tag: "ru-Latn",
        otp: "kod podtverzhdeni*, kod podtverjdeni*, kod dlya podtverzhdeni*, kod aktivacii*, kod dostupa*, kod avtorizacii*, \
              odnorazov* parol*, odnorazov* kod*, proverochn* kod*, kod proverki*, kod bezopasnosti, kod vhoda, kod registracii",
        code: "kod, koda, kodom, parol, parolya",
        auth: "podtver*, vhod*, registrac*, avtoriz*, aktivac*, dostup*, bezopasnost*",
        is: "vash, eto, vvedite",
        life: "deistv*, minut*",
        keep: "soobsh*, nikomu",
        number: "zakaz*, schet*, karta, karty, summa, balans, ostatok, oplata, pokupka, perevod, spisan*, telefon*",
        promo: "promokod*, skidk*, bonus*, akcii",
        money: "rub, rubley, rublej, tenge, tg",
        unit: "minut*, min, chas*, dney, dnej",
    },
    Language {
        tag: "uk",
        otp: "парол*, код підтвердження*, код* підтверджен*, код перевірки*, одноразов* код*, одноразов* парол*, код доступу*, код безпеки*, \
              код авторизації*, код активації*, код верифікації*, код входу*, код для входу*, код автентифікації*, код реєстрації, \
              перевірочний код*, код відновлення",
        code: "код, кода, коду, кодом, пін*, токен*",
        auth: "підтвер*, авториз*, верифік*, перевір*, вхід*, увій*, входу, реєстр*, зареєстр*, активац*, одноразов*, безпек*, автентиф*, \
               віднов*, скин*, доступ*",
        is: "це, введіть, використ*, з, ваш",
        life: "дійсн*, діє, минає, хвилин*, термін, ігнор*",
        keep: "повідомляйте, нікому, передав*, ніколи, ділі*, розголош*, не давайте",
        number: "замовлен*, рахун*, карт*, телефон*, дзвон*, посилк*, відправлен*, накладн*, ттн, брон*, квит*, рейс*, сум*, баланс*, \
                 залишок, разом, оплат*, платіж*, переказ*, адрес*, вул, номер*, індекс*",
        promo: "промокод*, знижк*, купон*, бонус*, подарун*, акці*, виграш*, приз*, штрих-код*, поштовий індекс",
        money: "грн, гривень, гривн*, uah",
        unit: "хвилин*, хв, годин*, дн*, місяц*, рок*, секунд*, відсот*, балів",
    },
    Language {
        tag: "be",
        otp: "код пацвярджэння*, код пацверджання*, код спраўджання*, код праверкі*, аднаразов* код*, аднаразов* парол*, код аўтэнтыфікацыі*, код доступу*",
        code: "код, кода, кодам, парол*",
        auth: "пацвер*, пацвяр*, спраўдж*, праверк*, уваход*, увайсці, рэгістр*, зарэгістр*, аўтэнт*, аўтарыз*, актывац*, бяспек*",
        is: "гэта, увядзіце, з, ваш",
        life: "дзейн*, хвілін*",
        keep: "нікому, паведамляйце, дзяліцеся, перадавайце",
        number: "заказ*, рахун*, карт*, тэлефон*, сума, баланс*",
        promo: "прамакод*, зніжк*",
        unit: "хвілін*, гадзін*",
        ..NONE
    },
    Language {
        tag: "bg",
        otp: "код за потвърждение*, код за удостоверяване*, код за проверка*, код за сигурност*, еднократн* код*, еднократн* парол*, \
              код за достъп*, код за активация*, код за вход*, кодът за потвърждение*, кодът за проверка*, кодът за удостоверяване, код за верификация*",
        code: "код, кода, кодът, парол*, пин",
        auth: "потвър*, удостовер*, провер*, вход*, влезте, влизане, регистр*, активир*, активац*, сигурност*, еднократ*, верифик*, възстанов*",
        is: "е, с, въведете, използвайте, следния",
        life: "валид*, изтича*, минути",
        keep: "споделяйте, споделяй, никого, никога, разкривайте",
        number: "поръчк*, фактур*, сметк*, карт*, телефон*, обад*, пратк*, резервац*, билет*, полет*, сума*, салдо, общо, плащан*, адрес*, ул, номер*",
        promo: "промо*, отстъпк*, купон*, ваучер*, подарък*, награда*, пощенски код*, баркод*",
        money: "лв, лева, bgn",
        unit: "минути, мин, час*, дни, ден, месец*, години, секунди, процент*, точки",
    },
    Language {
        tag: "sr mk",
        otp: "код за потврду*, верификациони код*, код за верификацију*, сигурносни код*, једнократн* код*, једнократн* лозинк*, \
              потврдни код*, код за пријаву, верификациски код*, код за потврда*, безбедносни код*, код за верификација*, \
              еднократн* лозинк*, код за најава*, код за проверка, код за автентикаци*, аутентификациони код*, код за аутентификацију*",
        code: "код, кода, кодот, шифр*, лозинк*, пин, токен*",
        auth: "потвр*, верифик*, пријав*, региструј*, региструјте, регистр*, активац*, сигурносн*, једнократ*, најав*, безбедн*, аутентиф*, автент*",
        is: "је, е, са, со, унесите, користите, внесете",
        life: "важи, истиче, минут*, истекува",
        keep: "делите, никоме, никад*, никого, споделувајте, споделувај",
        number: "наруџбин*, поруџбин*, нарачк*, рачун*, фактур*, картиц*, картичк*, телефон*, пакет*, пошиљк*, пратк*, износ*, стање, укупно, вкупно, број*, сметк*",
        promo: "промо*, попуст*, купон*, ваучер*, поклон*, наград*, поштански*",
        money: "дин, динара, рсд, денари, мкд",
        unit: "минут*, сат*, час*, дан*, ден*, месец*, секунди",
    },
    Language {
        tag: "hr bs sr-Latn cnr",
        otp: "verifikacijski kod*, verifikacioni kod*, kod za verifikaciju*, kôd za verifikaciju*, potvrdni kod*, kod za potvrdu*, \
              sigurnosni kod*, jednokratn* kod*, jednokratn* lozink*, aktivacijski kod*, kod za prijavu*, autentifikacijski kod*, \
              kod za autentifikaciju*, kod potvrde, kod za pristup*, pristupni kod*, aktivacioni kod*, kod za provjeru, kod za registraciju, \
              bezbednosni kod*, jednokratn* šifr*, otp token*",
        code: "kod, kôd, koda, kodom, kodovi, šifr*, lozink*, zapork*, pin, token*",
        auth: "potvr*, verifik*, prijav*, registrir*, registruj*, aktivir*, aktivac*, jednokrat*, sigurnosn*, autentif*, provjer*, \
               pristup*, obnov*, resetir*, identitet*",
        is: "je, s, sa, unesite, koristite, upotrijebite, sljedeći",
        life: "vrijedi, važi, istječe, ističe, minut*",
        keep: "dijelite, delite, nikome, nikad*, otkriv*",
        number: "narudžb*, porudžb*, račun*, faktur*, kartic*, telefon*, nazovite, pozovite, paket*, pošilj*, rezervac*, let, \
                 iznos*, stanje, saldo, ukupno, plaćan*, adres*, broj*, ugovor*",
        promo: "promo*, popust*, kupon*, vaučer*, poklon*, nagrad*, poštanski broj*, ponud*, dobit*, barkod*",
        money: "kuna, din, dinara, rsd, eura, eur",
        unit: "minut*, sat*, dan, dana, mjesec*, mesec*, godin*, sekund*, posto, bodova",
    },
    Language {
        tag: "sl",
        otp: "potrditvena koda*, potrditveno kodo*, potrditveni kod*, overitvena koda*, overitveno kodo*, varnostna koda*, varnostno kodo*, \
              enkratna koda*, enkratno geslo*, enkratno kodo*, aktivacijska koda*, prijavna koda*, koda za preverjanje*, dostopna koda*",
        code: "koda, kode, kodo, geslo*, gesla, žeton*",
        auth: "potrdi*, potrj*, preverj*, overit*, prijav*, registrir*, aktivir*, enkrat*, varnost*, ponastav*",
        is: "je, z, vnesite, uporabite, s",
        life: "velja*, poteče, minut*",
        keep: "delite, deliti, nikomur, nikoli, razkri*",
        number: "naroč*, račun*, kartic*, telefon*, poklič*, paket*, pošilj*, rezervac*, znesek*, stanje, skupaj, številk*, naslov",
        promo: "popust*, kupon*, promo*, darilo*, poštna številka*",
        unit: "minut*, ur, ure, dni, dan, mesec*",
        ..NONE
    },
    Language {
        tag: "pl",
        otp: "kod weryfikacyjn*, kodu weryfikacyjn*, kod potwierdz*, kod autoryzac*, kod bezpieczeństwa*, kod dostępu*, kod aktywac*, \
              kod uwierzytelni*, kod logowania*, kod do logowania*, jednorazow* kod*, kod jednorazow*, hasło jednorazow*, jednorazow* hasł*, kod sms*, \
              hasło sms*, smskod*, kod rejestrac*, token jednorazow*, kod do, kod pin, kod odzyskiwania*, hasło jednorazowe, kodu dostępu",
        code: "kod, kodu, kodem, kody, hasł*, pin, token*",
        auth: "weryfik*, zweryfik*, potwierdz*, potwierdź*, autoryz*, zalog*, logow*, zaloguj*, rejestr*, zarejestr*, aktyw*, jednoraz*, \
               bezpiecz*, uwierzyt*, dostęp*, resetow*, zreset*, odzysk*, tożsamo*",
        is: "wynosi, użyj, wpisz, wprowadź, podaj, brzmi, jest, następując*, poniższ*, z",
        life: "ważny, ważności, wygasa*, wygaśnie, minut*, traci ważność, zignoruj*",
        keep: "udostępniaj*, nikomu, nigdy, podawaj*, przekazuj*, ujawniaj*",
        number: "zamówieni*, faktur*, paragon*, rachun*, konto, konta, kart*, telefon*, zadzwoń*, przesyłk*, paczk*, rezerwac*, bilet*, \
                 kwot*, saldo, razem, suma, płatno*, przelew*, adres*, ul, numer*, nr, zgłoszeni*, klient*, umow*",
        promo: "rabat*, promocyjn*, promocj*, kupon*, voucher*, bon*, prezent*, kod pocztow*, kod odbioru*, wygra*, nagrod*, zniżk*, kod kreskow*, \
                kod błędu, kod rabatow*, kod promocyjn*",
        money: "zł, złotych, pln, gr",
        unit: "minut*, min, godzin*, godz, dni, dzień, tygodni*, miesi*, lat, sekund*, procent, punktów, pkt",
    },
    Language {
        tag: "cs sk",
        otp: "ověřovací kód*, potvrzovací kód*, bezpečnostní kód*, jednorázov* kód*, jednorázov* hesl*, autorizační kód*, aktivační kód*, \
              přihlašovací kód*, kód pro ověření*, kód pro přihlášení*, autentizační kód*, sms kód*, přístupový kód*, kód k ověření, \
              overovací kód*, bezpečnostný kód*, jednorazov* kód*, jednorazov* hesl*, autorizačný kód*, aktivačný kód*, prihlasovací kód*, \
              prístupový kód*, autentifikačný kód*, autentizačný kód*, potvrdzovací kód*, kód na overenie, kód na prihlásenie, \
              ověřovacího kódu, overovacieho kódu, autentifikační kód*",
        code: "kód*, hesl*, pin, token*",
        auth: "ověř*, overit*, overen*, overov*, overt*, potvr*, přihl*, prihl*, registr*, aktiv*, autoriz*, jednoráz*, jednoraz*, bezpečnost*, autent*, obnov*, totožn*, zaregistr*",
        is: "je, zadejte, zadajte, použijte, použite, s, následující",
        life: "platn*, platí, vyprší*, minut*, ignoruj*",
        keep: "nesdílejte*, nesdělujte*, nezdieľajte*, nikomu, nikdy, neposkyt*, sdíle*, zdieľa*",
        number: "objednáv*, faktur*, účet*, účt*, kart*, telefon*, telefón*, volejte, zavolajte, zásilk*, zásielk*, balík*, rezervac*, \
                 částk*, suma, sumu, zůstatek*, zostatok*, celkem, celkom, platb*, převod*, prevod*, adres*, číslo*, smlouv*, zmluv*",
        promo: "slev*, zľav*, slevový kód*, kupon*, kupón*, voucher*, promo*, poukaz*, darček*, dárek*, psč, poštovní směrovací, výhr*",
        money: "kč, korun*, czk, eur",
        unit: "minut*, minút*, min, hodin*, hodín*, dní, dny, dní, měsíc*, mesiac*, let, rok*, sekund*, procent*, bodů, bodov",
    },
    Language {
        tag: "lt",
        otp: "patvirtinimo kod*, saugos kod*, vienkartin* kod*, vienkartin* slaptažod*, prisijungimo kod*, aktyvavimo kod*, autentifikavimo kod*, \
              tapatybės nustatymo kod*, tapatumo nustatymo kod*, autentiškumo kod*, prieigos kod*, saugumo kod*, registracijos kod*",
        code: "kodas, kodą, kodo, kodu, kodai, slaptažod*, prieigos raktas*",
        auth: "patvirtin*, tvirtin*, prisijung*, regist*, užsiregistr*, aktyv*, vienkart*, saug*, autentif*, tapat*, atkur*",
        is: "yra, įveskite, naudokite, su, šį",
        life: "galioja*, minut*, baigiasi",
        keep: "nesidalin*, niekam, niekada, neatskleis*, dalin*",
        number: "užsakym*, sąskait*, kortel*, telefon*, skambin*, siunt*, rezervac*, suma, likut*, viso, numer*, nr, adres*, mokėj*",
        promo: "nuolaid*, kupon*, dovan*, akcij*, pašto kod*, promo*, brūkšnin*",
        unit: "minut*, val, valand*, dien*, mėnes*",
        ..NONE
    },
    Language {
        tag: "lv",
        otp: "apstiprinājuma kod*, apstiprināšanas kod*, verifikācijas kod*, drošības kod*, vienreiz* kod*, vienreiz* parol*, pieteikšanās kod*, aktivizācijas kod*, \
              autentifikācijas kod*, piekļuves kod*, pārbaudes kod*",
        code: "kods, kodu, koda, kodi, parol*",
        auth: "apstiprin*, verific*, verifik*, pieteik*, pierakst*, reģistr*, aktiviz*, vienreiz*, drošīb*, autentif*, pārbaud*, atjaun*",
        is: "ir, ievadiet, izmantojiet, ar, šo",
        life: "derīg*, beidzas, minūt*",
        keep: "neizpaud*, nevienam, nekad, nedaliet*, kopīg*",
        number: "pasūtīj*, rēķin*, kart*, konts, konta, tālrun*, zvan*, sūtīj*, rezervāc*, summa, atlikum*, kopā, numur*, nr, adres*, maksāj*",
        promo: "atlaid*, kupon*, dāvan*, akcij*, pasta indekss*, promo*",
        unit: "minūt*, stund*, dien*, mēneš*",
        ..NONE
    },
];
