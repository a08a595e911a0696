//! French, Spanish, Portuguese, Italian, Romanian, Catalan, Galician, Occitan, Sardinian, Corsican, Latin creoles.

use super::{Language, NONE};

pub(super) const ROMANCE: &[Language] = &[
    Language {
        tag: "fr",
        otp: "code de vérification*, code de sécurité*, code de confirmation*, code de validation*, code d'accès*, code d’accès*, \
              code d'authentification, code d'activation*, code d'identification, code de connexion*, code à usage unique*, \
              code unique*, code temporaire*, code secret*, mot de passe à usage unique, mot de passe unique, \
              mot de passe temporaire, code sms*, code de récupération, code d'inscription, \
              code confidentiel, code otp, clé d'activation, code de réinitialisation, jeton d'authentification",
        code: "code, codes, mot de passe, mots de passe, jeton, clé",
        auth: "vérifi*, confirm*, authentifi*, connexion, connecter, connectez, inscri*, enregistrer, enregistrez, activ*, \
               valid*, identifi*, usage unique, sécuri*, réinitialis*, récupér*, accès, accéder, identité",
        is: "est, voici, saisissez, entrez, utilisez, suivant, avec, saisir, utiliser",
        life: "expire*, valable*, valide pendant, minutes, ignorez, pas demandé, n'avez pas, expiration",
        keep: "partag*, communiqu*, divulgu*, personne, jamais, transmett*, révél*, donne*, confidentiel*",
        number: "commande*, facture*, reçu, référence*, réf, client, compte*, carte*, téléphone*, tél, appelez, appeler, \
                 colis, suivi, expédition, livraison*, réservation*, dossier*, billet*, vol, train, siège, chambre, \
                 montant*, solde*, total*, somme, virement*, payé, paiement*, prix, terminant, finissant, adresse, rue, \
                 numéro, n°, contrat*, dernier*, rendez-vous, ticket*",
        promo: "promo*, code promo*, réduction*, remise*, coupon*, cadeau*, parrainage*, code postal*, code client, code barre*, \
                code-barres, code de réservation, code avantage*, bon d'achat, soldes, gagn*, code erreur, \
                code de retrait, code de suivi, offre*, code pays, indicatif*, profitez, code de réduction",
        money: "euros, euro, eur, fcfa, cfa, xof, xaf, dh, mad, dinars, dzd, tnd, francs",
        unit: "minutes, minute, heures, heure, jours, jour, mois, ans, secondes, rue, avenue, bd, points, personnes, pour cent",
    },
    Language {
        tag: "es",
        otp: "código de verificación*, código de seguridad*, código de confirmación*, código de acceso*, código de activación*, \
              código de autenticación*, código de un solo uso, código de uso único, código único*, código temporal*, \
              código de inicio de sesión*, contraseña de un solo uso*, contraseña temporal*, clave de un solo uso, \
              clave dinámica*, clave temporal*, clave de acceso*, código otp*, código sms*, código secreto*, \
              código de validación*, clave única, clave de verificación, clave de seguridad*, \
              código de recuperación*, código de registro*, codigo verificador, código de identificación*, token de seguridad, \
              código verificación, código seguridad, pin de seguridad, código de firma",
        code: "código*, clave*, contraseña*, cod",
        auth: "verific*, confirm*, autentic*, iniciar sesión, inicio de sesión, inicia sesión, acceder, acceso, ingres*, \
               registr*, regístr*, activ*, valid*, un solo uso, único uso, segur*, restablec*, recuper*, identidad, \
               identific*, autoriz*, sesión",
        is: "es, con, usa, use, utiliza, utilice, introduce, introduzca, ingresa, ingrese, siguiente, sea, este, aquí, son",
        life: "expira*, caduca*, vence*, válido*, vigencia, minutos, no solicit*, ignora*, no has solicitado, vigente",
        keep: "compart*, nadie, nunca, divulg*, revel*, facilit*, confidencial*, no lo des, proporcion*, reenví*",
        number: "pedido*, factura*, recibo*, referencia*, ref, cliente, cuenta*, tarjeta*, teléfono*, tel, llama*, llame*, \
                 paquete*, envío*, seguimiento*, guía, rastreo, reserva*, localizador*, vuelo*, asiento, billete*, boleto*, \
                 habitación, importe*, monto*, saldo*, total*, pago*, pagar, precio*, transferencia*, operación, terminad* en, \
                 termina en, terminación, finaliza en, dirección, calle, número*, expediente, contrato*, ticket*, turno, folio, caso",
        promo: "promo*, promocional*, código promocional*, descuento*, cupón*, cupon*, vale*, regalo*, código postal*, oferta*, \
                gana*, ganador*, premio*, sorteo*, código de reserva*, código de seguimiento*, código de área, código de barras, \
                código qr, código de país, código de error*, canje*, referido*, código de invitación, código de descuento*, \
                código de cliente, código de retiro, código de pedido, prefijo",
        money: "euros, euro, eur, pesos, peso, dólares, mxn, ars, clp, cop, soles, bs, usd, pen",
        unit: "minutos, minuto, min, horas, hora, días, día, meses, años, segundos, puntos, personas, por ciento, hrs",
    },
    Language {
        tag: "pt",
        otp: "código de verificação*, código de segurança*, código de confirmação*, código de acesso*, código de ativação*, \
              código de autenticação*, código de validação*, código único*, código de uso único*, código temporário*, \
              senha de uso único*, senha única*, senha temporária*, palavra-passe única*, palavra-passe de uso único*, \
              código de login*, código de recuperação*, código de registo*, código sms*, código otp*, token de acesso, \
              palavra-passe de utilização única, código secreto, código de início de sessão",
        code: "código*, senha*, palavra-passe, palavra passe, cod",
        auth: "verific*, confirm*, autentic*, entrar, iniciar sessão, login, acess*, registr*, registe*, registo*, ativ*, activ*, \
               valid*, uso único, segurança, redefin*, repor, recuper*, identidade, autoriz*, cadastr*, sessão",
        is: "é, e, com, use, utilize, usa, digite, insira, introduza, seguinte, este, são",
        life: "expira*, válid*, validade, minutos, não solicit*, ignore*, não pediu",
        keep: "compartilh*, partilh*, ninguém, nunca, divulg*, revel*, forneç*, passe este, repass*, informe, sigilo*",
        number: "pedido*, encomenda*, fatura*, factura*, recibo*, referência*, ref, cliente, conta, contas, cartão*, cartao, telefone*, \
                 tel, ligue, liga, ligar, pacote*, envio*, rastreio*, rastreamento*, rastreador, entrega*, reserva*, localizador*, voo*, \
                 assento, bilhete*, valor*, quantia, montante, saldo*, total*, pagamento*, pagar, preço*, transferi*, final, \
                 terminado em, endereço, rua, número*, protocolo*, contrato*, boleto*, confirmado, depositaste, agente, nif, cpf, cnpj",
        promo: "promo*, promocional*, desconto*, cupom*, cupão*, vale*, presente*, código postal*, cep, oferta*, ganh*, prémio*, \
                prêmio*, sorteio*, código de reserva*, código de rastreio*, código de rastreamento*, código de barras, código qr, \
                código promocional*, código de desconto*, código de convite, código do pedido, indique",
        money: "euros, euro, reais, brl, mt, kwanzas, aoa, eur",
        unit: "minutos, minuto, min, horas, hora, dias, dia, meses, anos, segundos, pontos, pessoas, por cento",
    },
    Language {
        tag: "it",
        otp: "codice di verifica*, codice di sicurezza*, codice di conferma*, codice di accesso*, codice d'accesso*, \
              codice di attivazione*, codice di autenticazione*, codice monouso*, codice usa e getta, password monouso, \
              password usa e getta, password temporanea*, codice temporaneo*, codice otp*, token otp*, codice univoco, codice sms*, \
              codice segreto*, codice di registrazione*, codice di recupero*, pin monouso, \
              codice di convalida, codice dispositivo",
        code: "codice, codici, password, chiave, parola d'ordine",
        auth: "verific*, conferm*, autentic*, acced*, accesso, registr*, attiv*, monouso, sicurezza, reimpost*, ripristin*, \
               recuper*, identità, autorizz*, convalid*, login",
        is: "è, e, con, usa, utilizza, inserisci, digita, seguente, ecco, inserire",
        life: "scad*, valid*, minuti, non hai richiesto, ignora*",
        keep: "condivid*, comunic*, nessuno, mai, rivel*, divulg*, fornire",
        number: "ordine*, ordini, fattura*, ricevuta*, riferimento*, rif, cliente, conto, carta*, telefono*, tel, chiama*, \
                 pacco*, spedizione*, tracking, prenotazione*, volo*, posto, biglietto*, camera, importo*, saldo*, totale*, \
                 pagamento*, prezzo*, bonifico*, termina con, indirizzo, numero*, pratica*, contratto*, ticket*",
        promo: "promo*, sconto*, coupon*, buono*, regalo*, codice postale*, cap, offert*, vinc*, premio*, codice fiscale*, \
                codice cliente*, codice prenotazione*, codice ordine*, codice promozionale*, codice sconto*, codice invito, \
                codice a barre, codice iban, codice di prenotazione, codice ritiro, codice errore",
        money: "euro, eur",
        unit: "minuti, minuto, ore, ora, giorni, giorno, mesi, anni, secondi, punti, persone, per cento",
    },
    Language {
        tag: "ro",
        otp: "cod de verificare*, codul de verificare*, cod de securitate*, codul de securitate*, cod de confirmare*, \
              codul de confirmare*, cod de acces*, codul de acces*, cod de autentificare*, codul de autentificare*, cod unic*, \
              codul unic*, parola unică*, parolă de unică folosință*, cod de activare*, codul de activare*, codul sms",
        code: "codul*, cod, coduri, parol*",
        auth: "verific*, confirm*, autentific*, conect*, înregistr*, activ*, unică folosință, securit*, reset*, identit*, acces*",
        is: "este, e, cu, folosește, folosiți, introdu, introduceți, utilizați, următorul",
        life: "expiră*, valabil*, minute, ignor*, nu ați solicitat",
        keep: "împărtăș*, partaj*, nimănui, nimeni, niciodată, divulg*, dezvălu*, comunic*, distrib*",
        number: "comand*, factur*, bon, referinț*, client, cont, contul*, card*, telefon*, sunați, colet*, awb, livrare, rezerv*, \
                 zbor*, bilet*, sum*, sold*, total*, plat*, preț*, adres*, str, număr*, contract*",
        promo: "promo*, reducer*, cupon*, voucher*, cadou*, cod poștal*, ofert*, câștig*, premi*, cod promoțional*, cod de reducere*, \
                cod de rezervare, cod de bare",
        money: "lei, ron, leu, mdl",
        unit: "minute, ore, oră, zile, zi, luni, ani, secunde, puncte, la sută",
    },
    Language {
        tag: "ca",
        otp: "codi de verificació*, codi de seguretat*, codi de confirmació*, codi d'accés*, codi d'autenticació*, \
              codi d'activació*, contrasenya d'un sol ús*, codi d'un sol ús*, codi únic",
        code: "codi*, contrasenya*, clau",
        auth: "verific*, confirm*, autentic*, inici* sessió, registr*, activ*, valid*, un sol ús, segur*, restabl*, accés",
        is: "és, es, amb, utilitza, introduïu, introdueix, següent",
        life: "caduca*, vàlid*, minuts, expira",
        keep: "compart*, ningú, mai",
        number: "comanda*, factura*, compte*, targeta*, telèfon*, truca*, paquet*, reserva*, vol, import, imports, saldo, total*, número*, adreça",
        promo: "descompte*, promo*, cupó*, regal*, codi postal*, oferta*",
        unit: "minuts, hores, dies, mesos",
        ..NONE
    },
    Language {
        tag: "gl",
        otp: "código de verificación*, código de autenticación*, código de confirmación*, contrasinal dun só uso",
        code: "código*, contrasinal*, clave*",
        auth: "verific*, confirm*, autentic*, inici* sesión, rexistr*, acced*, activ*",
        is: "é, con, use",
        life: "caduca*, minutos",
        keep: "compart*, ninguén, nunca",
        ..NONE
    },
    Language {
        tag: "sc oc co",
        otp: "còdighe de verìfica*, còdighe de cunfirma*, còdighe de autenticatzione*, còdighe de seguresa, còdighe de intrada, \
              codi de verificacion*, còdi de verificacion*, codice di verificazione*, còdice di cunfirmazione",
        code: "còdighe*, còdixi*, codighe*, crae, còdi, crai",
        auth: "verìfica*, cunfirm*, autenticatzion*, registr*, verificacion, intrada",
        is: "est, es, cun, imprea",
        ..NONE
    },
    Language {
        tag: "ht pap",
        otp: "kòd verifikasyon*, kòd konfimasyon*, kòd sekirite*, kòd aksè*, kòd otantifikasyon*, kodigo di verifikashon*",
        code: "kòd*, modpas*, kodigo*",
        auth: "verifi*, konfim*, konekte, enskri*, sekirite, konfirm*",
        is: "se, ak, sèvi",
        life: "ekspire, minit",
        keep: "pataje, pèsonn, okenn moun",
        ..NONE
    },
    Language {
        tag: "eo",
        otp: "kontrolkodo*, konfirmkodo*, konfirma kodo*, aŭtentigkodo*, aŭtentiga kodo*, unufoja pasvorto, sekureca kodo",
        code: "kodo*, pasvorto*, *kodo",
        auth: "konfirm*, kontrol*, aŭtentig*, ensalut*, registri*",
        is: "estas, per, kun",
        ..NONE
    },
];
