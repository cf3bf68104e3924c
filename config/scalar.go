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
	if !decimal(text) || leadingZero(text) { // 089 is no octal number
		return nil, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	return f, err == nil
}

// decimal keeps out what else ParseFloat reads: "infinity", hexadecimal floats.
func decimal(text string) bool {
	whole, text := digits(unsigned(text))
	fraction := 0
	if strings.HasPrefix(text, ".") {
		fraction, text = digits(text[1:])
	}
	if whole+fraction == 0 || text == "" {
		return whole+fraction > 0
	}
	if text[0] != 'e' && text[0] != 'E' {
		return false
	}
	exponent, text := digits(unsigned(text[1:]))
	return exponent > 0 && text == ""
}

func unsigned(text string) string {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		return text[1:]
	}
	return text
}

// digits counts the digits at the front, single underscores between them
// allowed, and returns what follows.
func digits(text string) (n int, rest string) {
	for i := 0; i < len(text); i++ {
		switch {
		case '0' <= text[i] && text[i] <= '9':
			n++
		case text[i] != '_' || n == 0 || i+1 == len(text) || text[i+1] < '0' || text[i+1] > '9':
			return n, text[i:]
		}
	}
	return n, ""
}

// leadingZero is true for 010, which is an octal number to YAML 1.1 and none to Python.
func leadingZero(text string) bool {
	text = unsigned(text)
	return len(text) > 1 && text[0] == '0' && strings.Trim(text, "0123456789_") == "" && strings.Trim(text, "0_") != ""
}
