"""Writes JPEG pictures of every kind into a folder, and beside each the pixels
that Pillow decodes it to: NAME.jpg, NAME.WIDTHxHEIGHT.rgb."""
import sys, os, random
from PIL import Image

folder = sys.argv[1]
rng = random.Random(1)


def picture(mode, w, h):
    # smooth, so that JPEG keeps it, with some noise in every block
    n = len(Image.new(mode, (1, 1)).getbands())
    data = bytearray()
    for y in range(h):
        for x in range(w):
            for c in range(n):
                data.append((x * (3 + c) + y * (5 - c) + rng.randrange(40)) % 256)
    return Image.frombytes(mode, (w, h), bytes(data))


def write(name, im, **options):
    path = os.path.join(folder, name + ".jpg")
    im.save(path, "JPEG", **options)
    rgb = Image.open(path).convert("RGB")
    with open(os.path.join(folder, "%s.%dx%d.rgb" % (name, *rgb.size)), "wb") as f:
        f.write(rgb.tobytes())


for sampling, label in enumerate(["444", "422", "420"]):
    for w, h in [(64, 48), (341, 256), (17, 31), (1, 1), (8, 3)]:
        write("%s-%dx%d" % (label, w, h), picture("RGB", w, h), quality=90, subsampling=sampling)
write("poor", picture("RGB", 100, 75), quality=5)
write("best", picture("RGB", 100, 75), quality=100, subsampling=0)
write("progressive", picture("RGB", 123, 77), quality=80, progressive=True)
write("optimized", picture("RGB", 123, 77), quality=80, optimize=True)
write("gray", picture("L", 123, 77), quality=85)
write("cmyk", picture("CMYK", 123, 77), quality=85)

# YCCK: the same bytes, said by Adobe's marker to be transformed
path = os.path.join(folder, "ycck.jpg")
write("ycck", picture("CMYK", 50, 40), quality=85)
data = bytearray(open(path, "rb").read())
data[data.index(b"Adobe") + 11] = 2
open(path, "wb").write(data)
rgb = Image.open(path).convert("RGB")
with open(os.path.join(folder, "ycck.50x40.rgb"), "wb") as f:
    f.write(rgb.tobytes())
write("comment", picture("RGB", 60, 40), quality=85, exif=b"Exif\0\0" + bytes(range(200)))
