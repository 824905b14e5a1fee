-- The fields of TensorBoard's messages that are written, as the .proto files of tensorboard 2.20 number them (of lists
-- of numbers, which are packed, as texts).

return {
  event = {
    [1] = "dwall_time", [2] = "istep", [3] = "sfile_version", [4] = "mgraph_def", [5] = "msummary",
    [7] = "msession_log", [10] = "msource_metadata",
  },
  source_metadata = {[1] = "swriter"},
  session_log = {[1] = "istatus"},
  summary = {[1] = "mvalue"},
  value = {
    [1] = "stag", [2] = "fsimple_value", [4] = "mimage", [5] = "mhisto", [6] = "maudio", [8] = "mtensor",
    [9] = "mmetadata",
  },
  image = {[1] = "iheight", [2] = "iwidth", [3] = "icolorspace", [4] = "sencoded_image_string"},
  audio = {
    [1] = "fsample_rate", [2] = "inum_channels", [3] = "ilength_frames", [4] = "sencoded_audio_string",
    [5] = "scontent_type",
  },
  histogram = {
    [1] = "dmin", [2] = "dmax", [3] = "dnum", [4] = "dsum", [5] = "dsum_squares", [6] = "sbucket_limit",
    [7] = "sbucket",
  },
  metadata = {[1] = "mplugin_data"},
  plugin_data = {[1] = "splugin_name", [2] = "mcontent"},
  tensor = {
    [1] = "idtype", [2] = "mtensor_shape", [5] = "sfloat_val", [6] = "sdouble_val", [7] = "sint_val",
    [8] = "sstring_val", [9] = "sscomplex_val", [10] = "sint64_val", [11] = "sbool_val", [12] = "sdcomplex_val",
    [13] = "shalf_val", [16] = "suint32_val",
  },
  shape = {[2] = "mdim"},
  dim = {[1] = "isize"},
  -- hparams
  hparams = {[1] = "iversion", [2] = "mexperiment", [3] = "msession_start_info", [4] = "msession_end_info"},
  experiment = {[4] = "mhparam_infos", [5] = "mmetric_infos"},
  hparam_info = {[1] = "sname", [4] = "itype", [5] = "mdomain_discrete"},
  metric_info = {[1] = "mname"},
  metric_name = {[2] = "stag"},
  session_start_info = {[1] = "mhparams"},
  session_end_info = {[1] = "istatus"},
  hparam = {[1] = "skey", [2] = "mvalue"},
  any_value = {[2] = "dnumber_value", [3] = "sstring_value", [4] = "ibool_value"},
  list_value = {[1] = "mvalues"},
  -- other plugins
  pr_curve = {[1] = "iversion", [2] = "inum_thresholds"},
  mesh = {
    [1] = "iversion", [2] = "sname", [3] = "icontent_type", [5] = "sjson_config", [6] = "sshape", [7] = "icomponents",
  },
  layout = {[2] = "mcategory"},
  category = {[1] = "stitle", [2] = "mchart"},
  chart = {[1] = "stitle", [2] = "mmultiline", [3] = "mmargin"},
  multiline = {[1] = "stag"},
  margin = {[1] = "mseries"},
  series = {[1] = "svalue", [2] = "slower", [3] = "supper"},
  -- graphs
  graph = {[1] = "mnode", [4] = "mversions"},
  versions = {[1] = "iproducer"},
  node = {[1] = "sname", [2] = "sop", [3] = "sinput", [4] = "sdevice", [5] = "mattr"},
  attribute = {[1] = "skey", [2] = "mvalue"},
  attribute_value = {[1] = "mlist", [2] = "ss"},
  attribute_list = {[7] = "mshape"},
}
