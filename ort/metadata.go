package ort

import (
	"errors"
	"fmt"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// Metadata are the pairs of key and value that an ONNX file carries, such as
// labels and the preprocessing. Values that are empty are left out.
func Metadata(path string) (map[string]string, error) {
	if _, err := Load(""); err != nil {
		return nil, err
	}
	pairs, err := metadata(path)
	if err != nil {
		return nil, fmt.Errorf("ort: %s: %w", path, err)
	}
	return pairs, nil
}

func metadata(path string) (_ map[string]string, err error) {
	m, err := onnxruntime.GetModelMetadata(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Destroy()) }()
	keys, err := m.GetCustomMetadataMapKeys()
	if err != nil {
		return nil, err
	}
	pairs := map[string]string{}
	for _, k := range keys {
		v, ok, err := m.LookupCustomMetadataMap(k)
		if err != nil {
			return nil, err
		}
		if ok {
			pairs[k] = v
		}
	}
	return pairs, nil
}
