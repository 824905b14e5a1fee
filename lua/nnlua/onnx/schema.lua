-- The fields of ONNX's messages that are read and written, as onnx.proto of onnx 1.23.2 numbers them. A text is the
-- kind of a field and its name: i varints, f floats, d doubles, s texts, m messages (system.wire_fields).

local schema = {}

schema.model = {
  [1] = "iir_version", [2] = "sproducer_name", [7] = "mgraph", [8] = "mopset_import",
  [14] = "mmetadata_props", [25] = "mfunctions",
}
schema.entry = {[1] = "skey", [2] = "svalue"}
schema.opset = {[1] = "sdomain", [2] = "iversion"}
schema.graph = {
  [1] = "mnode", [2] = "sname", [5] = "minitializer", [15] = "msparse_initializer", [11] = "minput", [12] = "moutput",
}
schema.node = {
  [1] = "sinput", [2] = "soutput", [3] = "sname", [4] = "sop_type", [5] = "mattribute", [7] = "sdomain",
  [8] = "soverload",
}
schema.attribute = {
  [1] = "sname", [2] = "ff", [3] = "ii", [4] = "ss", [5] = "mt", [6] = "mg", [7] = "ffloats", [8] = "iints",
  [9] = "sstrings", [10] = "mtensors", [11] = "mgraphs", [14] = "mtp", [20] = "itype", [21] = "sref_attr_name",
  [22] = "msparse_tensor",
}
schema.value_info = {[1] = "sname", [2] = "mtype"}
schema.type = {[1] = "mtensor_type", [4] = "msequence_type", [8] = "msparse_tensor_type", [9] = "moptional_type"}
schema.tensor_type = {[1] = "ielem_type", [2] = "mshape"}
schema.sequence_type = {[1] = "melem_type"}
schema.shape = {[1] = "mdim"}
schema.dimension = {[1] = "idim_value", [2] = "sdim_param"}
schema.tensor = {
  [1] = "idims", [2] = "idata_type", [8] = "sname", [9] = "mraw_data", [13] = "mexternal_data", [14] = "idata_location",
}
schema.sparse_tensor = {[1] = "mvalues", [2] = "mindices", [3] = "idims"}
schema.entry = {[1] = "skey", [2] = "svalue"}
schema.func = {
  [1] = "sname", [4] = "sinput", [5] = "soutput", [6] = "sattribute", [7] = "mnode", [9] = "mopset_import",
  [10] = "sdomain", [11] = "mattribute_proto", [13] = "soverload",
}
-- SequenceProto and OptionalProto of onnx-data.proto, which test data is in
schema.sequence = {[2] = "ielem_type", [3] = "mtensor_values", [5] = "msequence_values"}
schema.optional = {[2] = "ielem_type", [3] = "mtensor_value", [5] = "msequence_value"}

return schema
