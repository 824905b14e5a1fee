-- Makes TensorBoard's messages: `message(kind, values)`.

return require "nnlua.files.protobuf".writer(require "nnlua.utils.tensorboard.schema")
