-- The fields of ONNX's messages that are read and written, as onnx.proto of onnx 1.23.2 numbers them. A text is the
-- kind of a field and its name: i varints, f floats, d doubles, s texts, m messages; in upper case where it stands once
-- (system.wire_fields).

local schema = {}

schema.model = {
  [1] = "Iir_version", [2] = "Sproducer_name", [7] = "mgraph", [8] = "mopset_import",
  [14] = "mmetadata_props", [25] = "mfunctions",
}
schema.entry = {[1] = "Skey", [2] = "Svalue"}
schema.opset = {[1] = "Sdomain", [2] = "Iversion"}
schema.graph = {
  [1] = "mnode", [2] = "Sname", [5] = "minitializer", [15] = "msparse_initializer", [11] = "minput", [12] = "moutput",
}
schema.node = {
  [1] = "sinput", [2] = "soutput", [3] = "Sname", [4] = "Sop_type", [5] = "mattribute", [7] = "Sdomain",
  [8] = "Soverload",
}
schema.attribute = {
  [1] = "Sname", [2] = "Ff", [3] = "Ii", [4] = "Ss", [5] = "mt", [6] = "mg", [7] = "ffloats", [8] = "iints",
  [9] = "sstrings", [10] = "mtensors", [11] = "mgraphs", [14] = "mtp", [20] = "Itype", [21] = "Sref_attr_name",
  [22] = "msparse_tensor",
}
schema.value_info = {[1] = "Sname", [2] = "mtype"}
schema.type = {[1] = "mtensor_type", [4] = "msequence_type", [8] = "msparse_tensor_type", [9] = "moptional_type"}
schema.tensor_type = {[1] = "Ielem_type", [2] = "mshape"}
schema.sequence_type = {[1] = "melem_type"}
schema.shape = {[1] = "mdim"}
schema.dimension = {[1] = "Idim_value", [2] = "Sdim_param"}
schema.tensor = {
  [1] = "idims", [2] = "Idata_type", [8] = "Sname", [9] = "mraw_data", [13] = "mexternal_data", [14] = "Idata_location",
}
schema.sparse_tensor = {[1] = "mvalues", [2] = "mindices", [3] = "idims"}
schema.entry = {[1] = "Skey", [2] = "Svalue"}
schema.func = {
  [1] = "Sname", [4] = "sinput", [5] = "soutput", [6] = "sattribute", [7] = "mnode", [9] = "mopset_import",
  [10] = "Sdomain", [11] = "mattribute_proto", [13] = "Soverload",
}
-- SequenceProto and OptionalProto of onnx-data.proto, which test data is in
schema.sequence = {[2] = "Ielem_type", [3] = "mtensor_values", [5] = "msequence_values"}
schema.optional = {[2] = "Ielem_type", [3] = "mtensor_value", [5] = "msequence_value"}

return schema
