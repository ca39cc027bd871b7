// ONNX Runtime's side of compare.py: one network, one line of JSON.
//   node onnxruntime.js FOLDER NAME THREADS SECONDS      (FOLDER/NAME.onnx, NAME.in.f32, SHAPE in the environment)
const began = performance.timeOrigin + performance.now();
const fs = require('fs'), path = require('path');
const [folder, name] = process.argv.slice(2), threads = Number(process.argv[4]), seconds = Number(process.argv[5]);
const ort = require(require.resolve('onnxruntime-node', { paths: [folder] }));
const now = () => Number(process.hrtime.bigint()) / 1e6;
(async () => {
  const file = path.join(folder, name), bytes = fs.readFileSync(file + '.in.f32');
  const x = new ort.Tensor('float32', new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), process.env.SHAPE.split(',').map(Number));
  const result = {}, start = now();
  const session = await ort.InferenceSession.create(file + '.onnx', {
    executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all', executionMode: 'sequential', logSeverityLevel: 3 });
  const answer = (await session.run({ x })).y.data;
  result.create_and_first_ms = now() - start;
  result.start_to_first_ms = performance.timeOrigin + performance.now() - Number(process.env.STARTED) / 1000;
  fs.writeFileSync(file + '.onnxruntime.f32', Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength));
  if (seconds > 0) {
    const warm = now();
    for (let n = 0; n < 3 || now() - warm < Math.min(700, 1000 * seconds); n++) await session.run({ x });
    const times = [], total = now();
    while (times.length < 8 || (now() - total < 1000 * seconds && times.length < 1 << 18)) {
      const t = now();
      await session.run({ x });
      times.push(now() - t);
    }
    times.sort((a, b) => a - b);
    Object.assign(result, { median_ms: times[times.length >> 1], min_ms: times[0], runs: times.length });
  }
  result.peak_mb = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify(result));
})().catch(error => { console.error(String(error)); process.exit(1); });
