-- For wrk: a token in each request. Arguments: hot | many | forged, a file with a token in each line, a number.
local kind, file, start
local tokens = {}
local count = 0
local head, tail

function init(arguments)
   kind, file, start = arguments[1], arguments[2], tonumber(arguments[3])
   for line in io.lines(file) do
      tokens[#tokens + 1] = "Bearer " .. line
      if kind ~= "many" then break end
   end
   count = start
   local token = tokens[1]
   local middle = #token - 100 -- within the signature
   head, tail = token:sub(1, middle), token:sub(middle + 11)
   wrk.headers["Accept"] = "application/json"
   wrk.headers["Authorization"] = token
end

function request()
   count = count + 1
   if kind == "many" then
      wrk.headers["Authorization"] = tokens[count % #tokens + 1]
   elseif kind == "forged" then
      wrk.headers["Authorization"] = head .. string.format("%010d", count) .. tail
   end
   return wrk.format()
end

function done(summary, latency, requests)
   print("result requests " .. summary.requests)
   print("result seconds " .. summary.duration / 1e6)
   print("result failures " .. summary.errors.status)
end
