package body

import (
	"bytes"
	"errors"

	"github.com/tidwall/gjson"
)

// bom is what some editors and shells put before a text of UTF-8. It is no part of it.
var bom = []byte("\ufeff")

// ErrUTF16 says that a text is encoded as JSON is not.
var ErrUTF16 = errors.New("the text is UTF-16, as PowerShell's > writes it; UTF-8 is taken (Out-File -Encoding utf8)")

// TrimBOM is a text without the mark of its encoding; with an error for UTF-16.
func TrimBOM(text []byte) ([]byte, error) {
	if len(text) > 1 && (text[0] == 0xff && text[1] == 0xfe || text[0] == 0xfe && text[1] == 0xff) {
		return nil, ErrUTF16
	}
	return bytes.TrimPrefix(text, bom), nil
}

// Bodies are the webhook bodies that a text holds: its elements where it is a list, else
// the text itself.
func Bodies(text []byte) (list [][]byte, err error) {
	if text, err = TrimBOM(text); err != nil {
		return nil, err
	}
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '[' || CheckJSON(trimmed) != nil {
		return [][]byte{text}, nil //nolint:nilerr // what is wrong with it is said where it is read
	}
	gjson.ParseBytes(text).ForEach(func(_, v gjson.Result) bool {
		list = append(list, []byte(v.Raw))
		return true
	})
	if len(list) == 0 {
		return nil, errors.New("the list is empty: it holds no webhook")
	}
	return list, nil
}
