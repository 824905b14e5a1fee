-- nl.transforms: what is done to pictures before a model sees them, as torchvision.transforms. Read when a name is
-- first asked for.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

return on_demand.fields({}, guard.classes, {
  ["nnlua.transforms.functional"] = "functional",
  ["nnlua.transforms.containers"] = "ImageTransform Compose Lambda RandomApply RandomChoice RandomOrder",
  ["nnlua.transforms.values"] = "ToTensor ConvertImageDtype Normalize Grayscale RandomGrayscale RandomInvert "
    .. "ColorJitter RandomErasing GaussianBlur",
  ["nnlua.transforms.places"] = "Resize CenterCrop RandomCrop RandomResizedCrop Pad RandomHorizontalFlip "
    .. "RandomVerticalFlip RandomRotation RandomAffine RandomPerspective",
})
