// Runs model.onnx of mobilenetv3-small-035 with ONNX Runtime and prints the
// expected values of TestMobileNetV3:
//
//   npm install onnxruntime-node@1.30.0
//   node mobilenetv3.mjs MODEL.onnx > mobilenetv3.json
//
// The model is PaddleClas's own export of the network that is also in
// inference.pdmodel. Element i of input k is ((31 i^2 + 17 i + 7 k) mod 257 - 128) / 64.
import ort from "onnxruntime-node";

const session = await ort.InferenceSession.create(process.argv[2]);
const cases = [];
for (const k of [0, 1, 2]) {
  const shape = [1, 3, 224, 224];
  const x = new Float32Array(3 * 224 * 224);
  for (let i = 0; i < x.length; i++) x[i] = (((31 * i * i + 17 * i + 7 * k) % 257) - 128) / 64;
  const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", x, shape) };
  const out = (await session.run(feeds))[session.outputNames[0]];
  cases.push({ k, want: Array.from(out.data) });
}
console.log(JSON.stringify(cases, null, 1));
