-- What a Trainer's checkpoint holds beside plain values.

local function stateful(object)
  return object and object.state_dict and object.load_state_dict and object or nil
end

--- Callbacks with a state by their names; the second of a class is "name#2".
local function callbacks_by_name(list)
  local by_name = {}
  for i, callback in ipairs(list) do
    if stateful(callback) then
      local name = callback.__name or tostring(i)
      local key, n = name, 1
      while by_name[key] do
        n = n + 1
        key = name .. "#" .. n
      end
      by_name[key] = callback
    end
  end
  return by_name
end

--- The objects of a trainer that have a state, by name.
return function(trainer)
  return {
    model = trainer.model, optimizer = trainer.optimizer, scheduler = trainer.scheduler, scaler = trainer.scaler,
    loader = stateful(trainer.loader), val_loader = stateful(trainer.val_loader), loss = trainer.mean_loss,
    metrics = trainer.metrics, extra = trainer.extra, callbacks = callbacks_by_name(trainer.callbacks),
  }
end
