//! What messages say that are about more than signing in, by kind. Spelled as the lists of `lexicon` are.

/// Resetting a password, recovering an account.
pub(super) const RESET: &[&str] = &[
    "reset your*, reset password*, password reset*, resetting*, reset code*, forgot*, forgotten password*, recover*, \
     new password, change your password, password change, regain access, account recovery, master password",
    "zurücksetz*, zurückzusetzen, passwort vergessen, neues passwort, wiederherstell*, kennwort ändern, passwort ändern",
    "wachtwoord opnieuw*, wachtwoord herstellen, wachtwoord vergeten, herstel*, opnieuw instellen",
    "réinitialis*, mot de passe oublié, nouveau mot de passe, récupér*, changer votre mot de passe",
    "restablec*, restablezca, contraseña olvidada, olvidaste*, olvidó*, nueva contraseña, recuper*, cambiar tu contraseña",
    "redefin*, repor a*, esqueceu*, nova senha, recuper*, alterar sua senha, repor*",
    "reimpost*, ripristin*, password dimenticata, nuova password, recuper*",
    "återställ*, glömt lösenord, nulstil*, glemt*, tilbakestill*, nollaa*, palauta*, unohd*",
    "сброс*, восстанов*, забыли пароль, новый пароль, смены пароля, смена пароля, скин*, віднов*, забули пароль",
    "zresetuj*, resetow*, odzysk*, nowe hasło, zapomnia*, obnov*, reset hesla, zapomenut*, zabudnut*, ponovno postav*",
    "sıfırla*, şifremi unuttum, yeni şifre, kurtarma*, parola yenile*",
    "atur ulang*, setel ulang*, lupa kata sandi, lupa password, pemulihan*, pulihkan, tetapkan semula, kata sandi baru",
    "đặt lại mật khẩu, quên mật khẩu, khôi phục, mật khẩu mới, dat lai mat khau",
    "إعادة تعيين, استعادة, نسيت كلمة, كلمة مرور جديدة, استرداد, بازیابی, بازنشانی, فراموشی, تغییر رمز",
    "איפוס, לאפס, שכחת, שחזור, επαναφορ*, ξεχάσατε, ανάκτησ*",
    "重置, 重设, 重設, 找回, 忘记密码, 忘記密碼, 修改密码, 修改密碼, 恢复, 恢復, 更改密码, 更改密碼",
    "リセット, 再設定, パスワードを忘れ, 復旧, 回復, 재설정, 초기화, 비밀번호 찾기, 비밀번호를 잊, 복구",
    "रीसेट, पासवर्ड भूल, पुनर्प्राप्त, রিসেট, পুনরুদ্ধার, รีเซ็ต, ลืมรหัสผ่าน, ตั้งรหัสผ่านใหม่, กู้คืน",
];

/// Approving a payment or a transfer.
pub(super) const PAYMENT: &[&str] = &[
    "payment*, pay, transfer*, transaction*, txn*, purchase*, withdraw*, wire, remittance, payee*, beneficiary, spend*, \
     debit, checkout, 3d secure, 3ds, upi, imps, neft, funds",
    "zahlung*, überweis*, bezahl*, transaktion*, kauf, einkauf, lastschrift, auszahlung, empfänger",
    "betaling*, betalen, overboek*, overschrijving, aankoop, opname",
    "paiement*, virement*, achat*, retrait, payer, bénéficiaire, transaction",
    "pago*, pagar, transferencia*, compra*, retiro, transacción, operación, beneficiario",
    "pagamento*, transferência*, compra*, saque, levantamento, pix, transação, beneficiário",
    "pagamento*, bonifico*, acquisto, spesa, prelievo, transazione, operazione, pagare",
    "betalning*, överför*, köp, uttag, betaling*, overfør*, overfor*, kjøp, maksu*, tilisiir*, ostos*, osto",
    "оплат*, платеж*, перевод*, покупк*, списани*, снятие, операци*, платіж*, переказ*, купівл*",
    "płatnoś*, przelew*, zakup*, transakcj*, wypłat*, platb*, platba, převod*, prevod*, nákup*, plaćanj*, plačil*, fizetés*, vásárlás*, átutalás*, plăț*, plata",
    "ödeme*, havale*, transfer*, alışveriş*, satın al*, eft, işlem*, fast",
    "pembayaran*, transfer*, transaksi*, pembelian*, penarikan*, bayar*, pemindahan*",
    "thanh toán, chuyển khoản, chuyển tiền, giao dịch, mua hàng, rút tiền, thanh toan, chuyen khoan, giao dich",
    "دفع, الدفع, تحويل, حوالة, شراء, سحب, عملية, پرداخت, انتقال, خرید, برداشت, واریز",
    "תשלום, העברה, רכישה, קנייה, משיכה, πληρωμ*, μεταφορά χρημάτων, αγορά*, συναλλαγ*",
    "支付, 付款, 转账, 轉賬, 轉帳, 交易, 消费, 消費, 提现, 提現, 汇款, 匯款, 购买, 購買, 取款",
    "支払, 送金, 振込, 決済, 購入, 出金, 取引, 결제, 송금, 이체, 출금, 구매",
    "भुगतान, लेनदेन, खरीद, ट्रांसफर, পেমেন্ট, লেনদেন, ชำระ, โอนเงิน, ทำรายการ, ซื้อ, ถอนเงิน",
];

/// Signing in at all; what is about a new device is in a list of its own.
pub(super) const SIGN_IN: &[&str] = &[
    "sign in, sign-in, signin, signing in, log in, log-in, login, logging in, log on, logon, signed in, logged in",
    "anmeld*, anzumelden, einlogg*, einzuloggen, login",
    "inlog*, in te loggen, aanmeld*",
    "connexion, connecter, connectez, se connecter, identifier",
    "iniciar sesión, inicio de sesión, inicia sesión, acceder",
    "iniciar sessão, início de sessão, fazer login, entrar, acessar",
    "acced*, accesso, login",
    "logga in, inlogg*, log ind, logge ind, logg inn, innlogging, kirjaud*",
    "вход*, войти, войдите, авториз*, вхід, увійти",
    "zalog*, logow*, zaloguj*, přihl*, prihl*, prijav*, bejelentkez*, conect*, autentificare",
    "giriş*, oturum*",
    "masuk, login, log masuk",
    "đăng nhập, dang nhap",
    "تسجيل الدخول, الدخول, ورود, وارد شوید",
    "להתחבר, התחברות, כניסה, σύνδεσ*, συνδεθ*",
    "登录, 登錄, 登入, 登陆",
    "ログイン, サインイン, 로그인",
    "लॉगिन, लॉग इन, साइन इन, লগইন, লগ ইন, เข้าสู่ระบบ, ล็อกอิน",
];

/// A device, browser or place that was not seen before, or one that is to be trusted from now on.
pub(super) const NEW_DEVICE: &[&str] = &[
    "new device*, new browser*, new computer, new location, new sign-in location, unrecognized device*, \
     unrecognised device*, unrecognized browser, unrecognised browser, unknown device*, unknown browser, unfamiliar device*, \
     unfamiliar location, unusual location, different device, another device, trust this device, trusted device*, \
     authorize this device, authorise this device, verify this device, verify your device, register this device, \
     register your device, add this device, device verification, device registration, device authorization, new ip address",
    "neues gerät, neuen gerät, neuem gerät, neuer browser, neuen browser, neuem browser, unbekanntes gerät, unbekannten gerät, \
     unbekanntem gerät, anderes gerät, anderen gerät, neuen standort, neuer standort, vertrauenswürdiges gerät, gerät bestätigen, \
     gerät registrieren",
    "nieuw apparaat, onbekend apparaat, ander apparaat, nieuwe browser, nieuwe locatie, vertrouwd apparaat",
    "nouvel appareil, nouveau navigateur, nouveau terminal, appareil inconnu, appareil de confiance, autre appareil, nouvelle position, \
     nouvel emplacement, appareil non reconnu",
    "nuevo dispositivo, dispositivo nuevo, nuevo navegador, dispositivo desconocido, dispositivo no reconocido, otro dispositivo, \
     dispositivo de confianza, nueva ubicación",
    "novo dispositivo, dispositivo novo, novo aparelho, novo navegador, dispositivo desconhecido, dispositivo não reconhecido, \
     outro dispositivo, dispositivo confiável, dispositivo de confiança, novo local",
    "nuovo dispositivo, nuovo browser, dispositivo sconosciuto, dispositivo non riconosciuto, altro dispositivo, \
     dispositivo attendibile, nuova posizione",
    "ny enhet, okänd enhet, annan enhet, ny enhed, ukendt enhed, ukjent enhet, uusi laite, uudella laitteella, tuntematon laite",
    "нового устройства, новое устройство, новом устройстве, неизвестного устройства, неизвестное устройство, другого устройства, \
     нового браузера, нового пристрою, новий пристрій, невідомого пристрою",
    "nowe urządzen*, nowego urządzen*, nowym urządzen*, nieznane* urządzen*, nové zařízení, nového zařízení, nové zariadenie, \
     novi uređaj, nova naprava, új eszköz*, ismeretlen eszköz*, dispozitiv nou, dispozitiv necunoscut",
    "yeni cihaz*, yeni bir cihaz*, bilinmeyen cihaz*, tanınmayan cihaz*, farklı bir cihaz*, yeni tarayıcı*",
    "perangkat baru, perangkat lain, perangkat tidak dikenal, peranti baharu, peranti baru",
    "thiết bị mới, thiết bị lạ, thiết bị khác, thiet bi moi",
    "جهاز جديد, جهاز غير معروف, جهاز آخر, متصفح جديد, دستگاه جدید, دستگاه ناشناس",
    "מכשיר חדש, מכשיר לא מוכר, דפדפן חדש, νέα συσκευή, άγνωστη συσκευή, νέο πρόγραμμα περιήγησης",
    "新设备, 新設備, 新裝置, 陌生设备, 陌生裝置, 未知设备, 未知裝置, 新浏览器, 新瀏覽器, 其他设备, 新的设备, 新的裝置, 异地登录, 異地登入",
    "新しいデバイス, 新しい端末, 別の端末, 別のデバイス, 不明なデバイス, 未知の端末, 新しいブラウザ, 새 기기, 새로운 기기, 알 수 없는 기기, 다른 기기, 새 브라우저",
    "नए डिवाइस, नया डिवाइस, अज्ञात डिवाइस, নতুন ডিভাইস, অজানা ডিভাইস, อุปกรณ์ใหม่, อุปกรณ์ที่ไม่รู้จัก",
];
