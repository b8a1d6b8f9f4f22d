package expr

import "strings"

// localeNames are the locales that a collation may be named after, as ICU 78 lists
// them: language, perhaps a script, perhaps a country of three letters.
const localeNames = `
af am ar ar_SAU as az be bg blo bn bo br bs bs_Cyrl ca ceb chr cs cy da de de_AUT dsb dz ee el en en_USA eo es et fa fa_AFG ff
ff_Adlm fi fil fo fr fr_CAN fy ga gl gu ha haw he he_ISR hi hr hsb hu hy id id_IDN ig is it ja ka kk kk_Arab kl km kn ko kok ku ky
lb lij lkt ln lo lt lv mk ml mn mr ms mt my nb nb_NOR ne nl nn no nso om or pa pa_Guru pa_Guru_IND pl ps pt ro ru sa se si sk sl
smn sq sr sr_Cyrl sr_Cyrl_BIH sr_Cyrl_MNE sr_Cyrl_SRB sr_Latn sr_Latn_BIH sr_Latn_SRB st sv sw ta te th tk tn to tr ug uk ur uz vi
wae wo xh yi yo zh zh_Hans zh_Hans_CHN zh_Hans_SGP zh_Hant zh_Hant_HKG zh_Hant_MAC zh_Hant_TWN zu
`

// languageNames are the languages of localeNames in English.
const languageNames = `
af Afrikaans; am Amharic; ar Arabic; as Assamese; az Azerbaijani; be Belarusian; bg Bulgarian; blo Anii; bn Bangla; bo Tibetan;
br Breton; bs Bosnian; ca Catalan; ceb Cebuano; chr Cherokee; cs Czech; cy Welsh; da Danish; de German; dsb Lower Sorbian;
dz Dzongkha; ee Ewe; el Greek; en English; eo Esperanto; es Spanish; et Estonian; fa Persian; ff Fula; fi Finnish; fil Filipino;
fo Faroese; fr French; fy Western Frisian; ga Irish; gl Galician; gu Gujarati; ha Hausa; haw Hawaiian; he Hebrew; hi Hindi;
hr Croatian; hsb Upper Sorbian; hu Hungarian; hy Armenian; id Indonesian; ig Igbo; is Icelandic; it Italian; ja Japanese;
ka Georgian; kk Kazakh; kl Kalaallisut; km Khmer; kn Kannada; ko Korean; kok Konkani; ku Kurdish; ky Kyrgyz; lb Luxembourgish;
lij Ligurian; lkt Lakota; ln Lingala; lo Lao; lt Lithuanian; lv Latvian; mk Macedonian; ml Malayalam; mn Mongolian; mr Marathi;
ms Malay; mt Maltese; my Burmese; nb Norwegian Bokmål; ne Nepali; nl Dutch; nn Norwegian Nynorsk; no Norwegian;
nso Northern Sotho; om Oromo; or Odia; pa Punjabi; pl Polish; ps Pashto; pt Portuguese; ro Romanian; ru Russian; sa Sanskrit;
se Northern Sami; si Sinhala; sk Slovak; sl Slovenian; smn Inari Sami; sq Albanian; sr Serbian; st Southern Sotho; sv Swedish;
sw Swahili; ta Tamil; te Telugu; th Thai; tk Turkmen; tn Tswana; to Tongan; tr Turkish; ug Uyghur; uk Ukrainian; ur Urdu;
uz Uzbek; vi Vietnamese; wae Walser; wo Wolof; xh Xhosa; yi Yiddish; yo Yoruba; zh Chinese; zu Zulu;
`

// countryNames are the countries of localeNames in English.
const countryNames = `
AFG Afghanistan; AUT Austria; BIH Bosnia & Herzegovina; CAN Canada; CHN China; HKG Hong Kong SAR China; IDN Indonesia; IND India;
ISR Israel; MAC Macao SAR China; MNE Montenegro; NOR Norway; SAU Saudi Arabia; SGP Singapore; SRB Serbia; TWN Taiwan;
USA United States;
`

// pairs reads lines of a word and the text that it stands for, separated by semicolons.
func pairs(text string) map[string]string {
	out := map[string]string{}
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		if word, rest, ok := strings.Cut(strings.TrimSpace(item), " "); ok {
			out[word] = rest
		}
	}
	return out
}
