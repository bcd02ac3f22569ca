-- Put on record what people did with items, for streams/engage.py. Uses no KEYS and no ARGV of its
-- own. An entry of the stream `engaged`: {e = JSON {kind, people = [[user, [id, type, at, ...]]...]}},
-- and its id has the time. Bounded: while nobody drains it, the oldest entries give way.
--
-- An item is flat JSON of ours (actors/sockets/item.py): a text in it cannot look like a field, for
-- its quotes would be escaped, and neither a type nor a time has anything to escape.
local MOST_ENTRIES = 100000
local ITEMS_PER_ENTRY = 500

local function touched(items, id, item)
  local n = #items
  items[n + 1] = id
  items[n + 2] = string.match(item, '"type":"([^"]*)"') or ''
  items[n + 3] = string.match(item, '"at":"([^"]*)"') or ''
end

local function engage(stream, kind, people)
  local event = cjson.encode({kind = kind, people = people})
  redis.call('XADD', stream, 'MAXLEN', '~', MOST_ENTRIES, '*', 'e', event)
end
