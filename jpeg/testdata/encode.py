"""Makes pictures (NAME.WIDTHxHEIGHT.rgb) and what Pillow encodes each of them
to (NAME.WIDTHxHEIGHT.QUALITY.jpg), in a folder."""
import os, random, sys
from PIL import Image

folder = sys.argv[1]
rng = random.Random(2)


def picture(w, h, noise):
    data = bytearray()
    for y in range(h):
        for x in range(w):
            for c in range(3):
                data.append((x * (3 + c) + y * (5 - c) + rng.randrange(noise)) % 256)
    return Image.frombytes("RGB", (w, h), bytes(data))


for name, noise in [("smooth", 1), ("real", 40), ("noise", 256)]:
    for w, h in [(64, 48), (341, 256), (17, 31), (1, 1), (8, 3), (2, 400)]:
        im = picture(w, h, noise)
        stem = os.path.join(folder, "%s.%dx%d" % (name, w, h))
        with open(stem + ".rgb", "wb") as f:
            f.write(im.tobytes())
        for quality in [1, 10, 50, 75, 95, 100]:
            im.save("%s.%d.jpg" % (stem, quality), "JPEG", quality=quality, subsampling=2)
