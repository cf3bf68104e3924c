package config

import (
	"math"
	"strconv"
	"strings"
)

// resolve gives a scalar its Python value. A plain scalar follows YAML 1.1 as
// PyYAML reads it (https://yaml.org/type/), except that numbers of base 60 and
// dates stay strings. What is a string then, quoted or not, is tried as a Python
// literal, as the reference does with ast.literal_eval: so 1e-4, which YAML 1.1
// takes for a string, is a number, and "None" is nothing.
func resolve(text string, quoted bool, where place) *value {
	v := &value{where: where, data: text, text: text, asText: quoted}
	if !quoted {
		if data, ok := plainScalar(text); ok {
			v.data = data
			return v
		}
	}
	if data, ok := parseLiteral(text, where); ok {
		v.data = data
	}
	return v
}

func plainScalar(text string) (any, bool) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return nil, true
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return true, true
	case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return false, true
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(1), true
	case "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1), true
	case ".nan", ".NaN", ".NAN":
		return math.NaN(), true
	}
	return number(text)
}

// number reads an integer (decimal, 0x, 0o, 0b, and YAML 1.1's octal 017) or a
// float, both with optional underscores between digits.
func number(text string) (any, bool) {
	if i, err := strconv.ParseInt(text, 0, 64); err == nil {
		return i, true
	}
	if strings.Trim(text, "0123456789+-.eE_") != "" || !strings.ContainsAny(text, "0123456789") {
		return nil, false // ParseFloat also knows "infinity" and hexadecimal floats
	}
	if f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64); err == nil && !leadingZero(text) {
		return f, true
	}
	return nil, false
}

// leadingZero is true for 089: no octal number, and Python refuses it too.
func leadingZero(text string) bool {
	text = strings.TrimLeft(text, "+-")
	return len(text) > 1 && text[0] == '0' && !strings.ContainsAny(text, ".eE")
}
