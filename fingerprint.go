package pptsn

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
)

// Fingerprint is a hash of what decides the scores of a clip beside the arithmetic,
// and what they are called: network, weights, scales, labels. It takes a second
// for a GB of weights.
func (m *Model) Fingerprint() (string, error) {
	h := sha256.New()
	if err := m.bundle.Graph.Print(h); err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(m.bundle.Weights)) {
		h.Write([]byte(name + "\n"))
		if err := binary.Write(h, binary.LittleEndian, m.bundle.Weights[name].Float32s()); err != nil {
			return "", err
		}
	}
	if err := json.NewEncoder(h).Encode([]any{m.scales, m.labels}); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}
