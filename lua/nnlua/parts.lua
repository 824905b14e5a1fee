-- The public parts of nl that are written in Lua and loaded when they are first asked for, for tools that list names.

return {
  "Trainer", "accelerator", "amp", "argparse", "audio", "backends", "callbacks", "checkpoint", "compile",
  "compile_report", "cuda", "datasets", "distributed", "distributions", "finfo", "func", "help", "histogramdd",
  "iinfo", "io", "load", "lobpcg", "metrics", "nn", "onnx", "optim", "plot", "profiler", "program", "progress",
  "quasirandom", "random", "report", "repr", "save", "show", "signal", "testing", "text", "transforms", "utils",
  "vision",
}
