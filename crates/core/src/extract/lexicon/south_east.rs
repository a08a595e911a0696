//! South-East Asia, Africa south of the Sahara, the Pacific.

use super::{Language, NONE};

pub(super) const SOUTH_EAST: &[Language] = &[
    Language {
        tag: "id ms",
        otp: "kode verifikasi*, kode otp*, kode konfirmasi*, kode keamanan*, kode akses*, kode aktivasi*, kode otentikasi*, kode autentikasi*, kode rahasia*, \
              kata sandi sekali pakai*, kode sekali pakai*, kode masuk*, kode login*, password sekali pakai*, sandi sekali pakai*, kode pemulihan*, kode pendaftaran*, \
              kod pengesahan*, kod keselamatan*, kata laluan sekali*, kod aktivasi*, kod log masuk*, kod akses*, kata laluan satu kali*, kod sekali guna*, kata laluan sementara, kod pengaktifan*, \
              nomor verifikasi, nombor tac, kode validasi*, kod pendaftaran, kata laluan sekali guna*",
        code: "kode, kodenya, sandi, kata sandi*, kata laluan*, kod, kod anda, pin, token, kode anda",
        auth: "verifikasi*, memverifikasi*, konfirmasi*, mengonfirmasi*, mengkonfirmasi*, otentikasi*, autentikasi*, setujui, menyetujui, persetujuan, masuk, login, daftar*, pendaftaran*, mendaftar, \
               aktivasi*, aktifkan, keamanan, sekali pakai, atur ulang, reset, pulihkan, pengesahan*, sahkan*, mengesahkan, log masuk, keselamatan, identitas, akses",
        is: "adalah, ialah, ini, gunakan, masukkan, dengan, berikut, sebagai, yaitu",
        life: "berlaku*, kedaluwarsa*, kadaluarsa*, menit, minit, luput, abaikan, sah selama, sah untuk, kadaluwarsa",
        keep: "bagikan, berikan, beritahu*, siapapun, siapa pun, sesiapa*, kongsi*, rahasia*, jangan, dedahkan, membagikan, sebarkan, memberikan, meminta",
        number: "pesanan*, order, faktur*, tagihan*, invois, resit, rekening*, akaun*, kartu*, kad, telepon*, telefon*, hubungi*, hub, paket*, resi, pengiriman*, penghantaran, \
                 booking*, tempahan*, penerbangan*, kursi, tiket*, nominal, sejumlah, sebesar, saldo*, baki, total, jumlah*, pembayaran*, bayar, transfer*, transaksi*, alamat*, jl, \
                 nomor*, nombor*, ref, rujukan*, referensi*, pelanggan*, id, pulsa, kuota, sms ke, telp, harga, cicilan, tenor",
        promo: "promo*, diskon*, kupon*, voucher*, hadiah*, bonus*, undian*, pemenang*, menang*, kode pos*, kode promo*, kode voucher*, kode booking*, kode referral*, poskod*, diskaun*, baucar*, \
                cashback, gratis, tukar*, kode undangan*, kode unik*, kode ambil*, kode pengambilan*, kode bayar*, kode area, kode negara, kode pesanan, penawaran, menangkan, selamat anda, selamat nomor, selamat no, terpilih, memenangkan, pemenang, disc, undian, cek, kode pembayaran*, kode barang, kode produk, dapatkan",
        money: "rp, rupiah, idr, rm, ringgit, ribu, juta, rb, jt",
        unit: "menit, minit, jam, hari, minggu, bulan, tahun, detik, saat, persen, poin, mata, orang, rb, ribu, juta, gb, kali",
    },
    Language {
        tag: "jv su",
        otp: "kode verifikasi, kode konfirmasi, sandhi sepisan",
        code: "kode, sandhi, tembung sandhi",
        auth: "verifikasi, konfirmasi, daptar, mlebu",
        is: "yaiku, nganggo, gunakake, nyaéta",
        ..NONE
    },
    Language {
        tag: "fil",
        otp: "verification code*, one-time pin*, otp*, kodigo ng pagpapatunay*, kodigo sa pagpapatunay*, code ng pagpapatunay*, code sa pagpapatunay*, isang beses na password*, security code*, code sa pag-verify*, code ng pag-verify*, code sa pag-log*, \
              code sa pagkumpirma*, authentication code*, pang-isahang gamit",
        code: "code, kodigo, password, pin, passcode",
        auth: "pagpapatunay*, pag-verify*, i-verify*, mag-verify, kumpirma*, kumpirmahin, mag-log*, mag-login, magrehistro*, magparehistro, pag-log*, i-reset*, verification, mag-sign",
        is: "ay, ang, gamitin, ilagay, gamit, ito",
        life: "mag-e-expire, minuto, valid, bisa",
        keep: "ibahagi*, ipamigay, kaninuman, kahit kanino, i-share, sabihin, ibigay",
        number: "order, account, card, tawag*, tumawag, halaga, balanse, load, ref, bayad, resibo",
        promo: "diskwento, promo*, voucher*, regalo, premyo, panalo, nanalo, libre",
        money: "php, piso, pesos",
        unit: "minuto, oras, araw, piso, minutes",
    },
    Language {
        tag: "vi",
        otp: "mã xác nhận, mã xác thực, mã xác minh, mã otp, mã bảo mật, mã kích hoạt, mã đăng nhập, mã truy cập, mật khẩu một lần, mật khẩu dùng một lần, mã dùng một lần, mật khẩu otp, mã pin, mã an toàn, mật khẩu tạm thời, mã đăng ký, mã khôi phục, \
              mã số xác, mã kiểm tra, ma xac nhan, ma xac thuc, ma xac minh, mat khau 1 lan, mã giao dịch một lần, mã số bí mật, mat ma otp, mã xác nhân",
        code: "mã của, mã sau, mã số, mã này, mật khẩu, mã là, mã:, mã, mat khau, ma so, ma cua ban, đoạn mã, mã thông báo",
        auth: "xác nhận, xác thực, xác minh, đăng nhập, đăng ký, kích hoạt, bảo mật, đặt lại, khôi phục, truy cập, một lần, danh tính, dang nhap, dang ky",
        is: "là, la, sử dụng, nhập, dùng, bằng, sau, với",
        life: "hết hạn, hiệu lực, phút, hieu luc, phut, bỏ qua",
        keep: "chia sẻ, bất kỳ ai, tiết lộ, không cung cấp, chia se, cho ai, cung cap",
        number: "đơn hàng, hóa đơn, hoá đơn, tài khoản, số thẻ, thẻ tín dụng, điện thoại, gọi, liên hệ, vận đơn, gói hàng, đặt chỗ, chuyến bay, ghế, số tiền, số dư, tổng, thanh toán, giao dịch, địa chỉ, đường, tham chiếu, khách hàng, don hang, tai khoan, so du, so tien, hotline, lh, tk, gd, sd",
        promo: "giảm giá, khuyến mãi, khuyến mại, mã giảm giá, mã giam, voucher, phiếu, quà tặng, trúng thưởng, ưu đãi, mã bưu, mã vận đơn, mã đơn hàng, mã đặt chỗ, mã khuyến mãi, mã ưu đãi, giam gia, khuyen mai, uu dai, mã giới thiệu, mã vạch, mã vùng, mã qr, mã khách hàng, soan, soạn",
        money: "vnd, đồng, vnđ, dong",
        unit: "phút, giờ, ngày, tháng, năm, giây, phut, gio, ngay, điểm, đồng, vnd, đ",
    },
    Language {
        tag: "th",
        otp: "รหัสยืนยัน, รหัสการยืนยัน, รหัส otp, รหัสผ่านครั้งเดียว, รหัสความปลอดภัย, รหัสรักษาความปลอดภัย, รหัสตรวจสอบ, รหัสเข้าสู่ระบบ, รหัสเปิดใช้งาน, รหัสใช้ครั้งเดียว, รหัสผ่านแบบใช้ครั้งเดียว, โอทีพี, รหัสรับรอง, รหัสพิสูจน์, รหัสผ่านชั่วคราว, รหัสเข้าใช้, รหัสเข้าถึง, ครั้งเดียว, รหัสอ้างอิงและรหัส",
        code: "รหัส, รหัสผ่าน, โค้ด, พิน",
        auth: "ยืนยัน, ตรวจสอบ, เข้าสู่ระบบ, ลงทะเบียน, สมัคร, เปิดใช้งาน, ความปลอดภัย, พิสูจน์, รีเซ็ต, ตั้งค่าใหม่, ล็อกอิน, ตัวตน, ลงชื่อเข้า",
        is: "คือ, ใช้, กรอก, ป้อน, ด้วย, ต่อไปนี้, เป็น",
        life: "นาที, หมดอายุ, ใช้ได้, ภายใน",
        keep: "แบ่งปัน, เปิดเผย, แชร์, ผู้ใด, ผู้อื่น, ใคร, ห้ามบอก, ห้าม",
        number: "คำสั่งซื้อ, ใบแจ้งหนี้, ใบเสร็จ, บัญชี, บัตร, โทร, พัสดุ, ติดตาม, การจอง, เที่ยวบิน, ที่นั่ง, จำนวนเงิน, ยอด, คงเหลือ, รวม, ชำระ, โอน, ที่อยู่, หมายเลข, เลขที่, อ้างอิง, ref, เบอร์",
        promo: "ส่วนลด, คูปอง, โปรโมชั่น, ของขวัญ, รางวัล, รหัสไปรษณีย์, โค้ดส่วนลด, รหัสส่วนลด, รหัสจอง, คะแนน, รหัสสินค้า, รับของ",
        money: "บาท, thb",
        unit: "นาที, ชั่วโมง, วัน, เดือน, ปี, วินาที, บาท, คะแนน, คน, ชิ้น",
    },
    Language {
        tag: "lo",
        otp: "ລະຫັດຢືນຢັນ, ລະຫັດຄວາມປອດໄພ, ລະຫັດກວດສອບ, ລະຫັດຜ່ານຄັ້ງດຽວ, ລະຫັດ otp, ລະຫັດເຂົ້າ",
        code: "ລະຫັດ, ລະຫັດຜ່ານ",
        auth: "ຢືນຢັນ, ກວດສອບ, ເຂົ້າສູ່ລະບົບ, ລົງທະບຽນ, ຄວາມປອດໄພ",
        is: "ແມ່ນ, ຄື, ໃຊ້, ດ້ວຍ",
        life: "ນາທີ",
        keep: "ແບ່ງປັນ, ບອກໃຜ",
        unit: "ນາທີ, ຊົ່ວໂມງ, ກີບ",
        ..NONE
    },
    Language {
        tag: "km",
        otp: "លេខកូដផ្ទៀងផ្ទាត់, កូដផ្ទៀងផ្ទាត់, លេខកូដបញ្ជាក់, លេខកូដសម្ងាត់, លេខកូដសុវត្ថិភាព, លេខសម្ងាត់, កូដបញ្ជាក់, លេខកូដចូល",
        code: "លេខកូដ, កូដ, ពាក្យសម្ងាត់",
        auth: "ផ្ទៀងផ្ទាត់, បញ្ជាក់, ចុះឈ្មោះ, ចូល, សុវត្ថិភាព",
        is: "គឺ, ប្រើ, ជាមួយ",
        life: "នាទី",
        keep: "ចែករំលែក, នរណា",
        unit: "នាទី, ម៉ោង, ថ្ងៃ, រៀល",
        ..NONE
    },
    Language {
        tag: "my",
        otp: "အတည်ပြုကုဒ်, အတည်ပြု ကုဒ်, အတည်ပြုနံပါတ်, လုံခြုံရေးကုဒ်, စစ်ဆေးကုဒ်, တစ်ခါသုံး, အတည်ပြုရန်ကုဒ်, ဝင်ရောက်ရန်ကုဒ်, အတည်ပြုချက်ကုဒ်, စိစစ်ရေးကုဒ်",
        code: "ကုဒ်, ကုဒ, စကားဝှက်, လျှို့ဝှက်နံပါတ်, လျှို့ဝှက်",
        auth: "အတည်ပြု, စစ်ဆေး, ဝင်ရောက်, မှတ်ပုံတင်, လုံခြုံရေး, စိစစ်, အကောင့်ဝင်, စာရင်းသွင်း",
        is: "ဖြစ်, သုံး, ဖြင့်, ဖြင့",
        life: "မိနစ်",
        keep: "မျှဝေ, မပေး, မည်သူ",
        unit: "မိနစ်, နာရီ, ရက်, ကျပ်",
        ..NONE
    },
    Language {
        tag: "sw",
        otp: "nambari ya uthibitish*, msimbo wa uthibitish*, nambari ya kuthibitish*, msimbo wa kuthibitish*, nenosiri la mara moja*, nenosiri la wakati mmoja*, msimbo wa usalama*, msimbo wako wa uthibitish*, nambari yako ya uthibitish*, kodi ya uthibitish*, \
              msimbo wa kuingia*, nambari ya siri*, nywila ya mara moja*, namba ya uthibitish*, msimbo wa siri",
        code: "msimbo*, nambari yako, nenosiri*, nywila*, kodi, namba ya siri, kodi yako",
        auth: "thibitish*, kuthibitish*, uthibitish*, ingia, kuingia, jisajili*, sajili, kujisajili, usalama, weka upya, washa",
        is: "ni, na, tumia, weka, ingiza, kwa, ifuatayo",
        life: "dakika, itaisha, muda",
        keep: "shiriki*, usishiriki*, mtu yeyote, kushiriki, usimpe, yeyote",
        number: "agizo*, ankara*, akaunti*, kadi*, simu, piga, kifurushi*, kiasi*, salio*, jumla, malipo*, kumbukumbu, umetuma, umepokea, imethibitishwa, muamala",
        promo: "punguzo*, kuponi*, zawadi*, ofa, ushindi, umeshinda, promosheni*",
        money: "ksh, tsh, kes, tzs, shilingi, ugx",
        unit: "dakika, saa, siku, shilingi",
    },
    Language {
        tag: "ha yo ig zu xh st tn ny sn rw rn mg",
        otp: "lambar tabbatar*, kod ɗin tabbatar*, lambar tantance*, koodu ijerisi*, koodu idaniloju*, koodu ifẹsẹmulẹ*, koodu nkwenye*, koodu nnyocha*, ikhodi yokuqinisekisa*, ikhodi yakho yokuqinisekisa*, ikhowudi yokuqinisekisa*, \
              kode yotsimikizira*, nhamba yekusimbisa*, khoutu ya netefatso*, kode ya kemamele, kaody fanamarinana*, kaody fanamafisana*, teny miafina, kodea ea netefatso, kode y'isuzuma, kode yo kwemeza*, umubare w'ibanga",
        code: "lambar sirri, kalmar sirri, koodu*, ikhodi*, ikhowudi*, iphasiwedi*, khoutu*, kaody*, tenimiafina, kode",
        auth: "tabbatar*, tantance*, rajista*, shiga, ijerisi*, idaniloju*, forukọsilẹ*, nkwenye*, debanye*, qinisekisa*, yokuqinisekisa*, bhalisa*, ngena, ubhalise*, netefatso*, fanamarinana*, fanamafisana*, kwemeza*, kwiyandikisha, kusimbisa*",
        is: "shine, ni, ne, bụ, jẹ, ngu, ithi, dia, pẹlu, jiri, nge",
        keep: "raba, kowa, pin pẹlu, kekọrịta*, wabelane*, zizara, mizara, ẹnikẹni, onye ọ bụla",
        ..NONE
    },
    Language {
        tag: "mi haw sm to",
        otp: "waehere manatoko*, waehere whakaū*, helu hōʻoia*, numera fa'amaonia*, fakamo'oni",
        code: "waehere*, kupuhipa*, kupu huna, kupuhuna",
        auth: "manatoko*, whakaū*, rēhita*, takiuru*, hōʻoia",
        is: "ko, mā",
        ..NONE
    },
];
