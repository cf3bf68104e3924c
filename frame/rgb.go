// Package frame holds decoded pictures and exact arithmetic on their pixels.
//
// Resizing matches OpenCV's and Pillow's results bit for bit, because a
// network trained behind one of them loses accuracy behind another.
package frame

// An RGB is a picture of W x H pixels, 8 bits a channel, in the order red,
// green, blue. Rows follow each other without padding, from the top:
// len(Pix) == 3*W*H, and pixel (x, y) begins at Pix[3*(y*W+x)].
type RGB struct {
	W, H int // pixels, both > 0
	Pix  []byte
}

// NewRGB returns a black picture.
func NewRGB(w, h int) *RGB { return &RGB{W: w, H: h, Pix: make([]byte, 3*w*h)} }
