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

/// Signing in, from a new device or at all.
pub(super) const SIGN_IN: &[&str] = &[
    "sign in, sign-in, signin, signing in, log in, log-in, login, logging in, log on, logon, new device, new browser, \
     unrecognized device, unrecognised device, new location, signed in, logged in",
    "anmeld*, anzumelden, einlogg*, einzuloggen, login, neues gerät, neuen gerät, neuem gerät",
    "inlog*, in te loggen, aanmeld*, nieuw apparaat",
    "connexion, connecter, connectez, nouvel appareil, se connecter, identifier",
    "iniciar sesión, inicio de sesión, inicia sesión, nuevo dispositivo, acceder",
    "iniciar sessão, início de sessão, fazer login, entrar, novo dispositivo, acessar",
    "acced*, accesso, nuovo dispositivo, login",
    "logga in, inlogg*, ny enhet, log ind, logge ind, logg inn, innlogging, ny enhed, kirjaud*, uusi laite",
    "вход*, войти, войдите, авториз*, нового устройства, новое устройство, новом устройстве, вхід, увійти, нового пристрою",
    "zalog*, logow*, zaloguj*, nowe urządzen*, nowego urządzen*, přihl*, prihl*, nové zařízení, nové zariadenie, prijav*, bejelentkez*, új eszköz*, conect*, autentificare, dispozitiv nou",
    "giriş*, oturum*, yeni cihaz*",
    "masuk, login, log masuk, perangkat baru, peranti baharu",
    "đăng nhập, thiết bị mới, dang nhap",
    "تسجيل الدخول, الدخول, جهاز جديد, ورود, وارد شوید, دستگاه جدید",
    "להתחבר, התחברות, כניסה, מכשיר חדש, σύνδεσ*, συνδεθ*, νέα συσκευή",
    "登录, 登錄, 登入, 登陆, 新设备, 新設備, 新裝置",
    "ログイン, サインイン, 新しいデバイス, 新しい端末, 로그인, 새 기기, 새로운 기기",
    "लॉगिन, लॉग इन, साइन इन, नए डिवाइस, লগইন, লগ ইন, เข้าสู่ระบบ, ล็อกอิน, อุปกรณ์ใหม่",
];
