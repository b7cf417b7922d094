package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// The keys of other layouts, where they stand on that of ASCII: Russian, Ukrainian,
// Greek, Hebrew, Arabic.
var layouts = []struct{ there, here string }{
	{"йцукенгшщзфывапролдячсмитьі", "qwertyuiopasdfghjklzxcvbnms"},
	{"ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"},
	{"קראטוןםפשדגכעיחלךזסבהנמצ", "ertyuiopasdfghjklzxcvbnm"},
	{"ضصثقفغعهخحشسيبلاتنمئءؤرىة", "qwertyuiopasdfghjklzxcvnm"},
}

// latin is a key with ctrl as the layout of ASCII has it: ctrl+с of a Cyrillic one is
// ctrl+c, as it is without the keyboard protocol. A key that is ASCII stays what its own
// layout makes of it, wherever it stands.
func latin(msg tea.KeyPressMsg) tea.KeyPressMsg {
	if msg.Code < 0x80 {
		msg.BaseCode = 0
		return msg
	}
	if !msg.Mod.Contains(tea.ModCtrl) || msg.BaseCode != 0 {
		return msg
	}
	for _, l := range layouts {
		if i := slices.Index([]rune(l.there), msg.Code); i >= 0 {
			msg.Code = rune(l.here[i])
			return msg
		}
	}
	return msg
}
