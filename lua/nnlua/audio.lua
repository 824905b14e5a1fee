-- nl.audio: what is made of sound before a model hears it. Read when a name is first asked for.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

return on_demand.fields({}, guard.classes, {
  ["nnlua.audio.spectra"] = "melscale_fbanks create_dct spectrogram amplitude_to_DB",
  ["nnlua.audio.resampling"] = "resample",
  ["nnlua.audio.modules"] = "Spectrogram MelScale MelSpectrogram AmplitudeToDB MFCC Resample",
})
