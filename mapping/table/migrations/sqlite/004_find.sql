-- What the one who is woken asks: deliveries by what became of them, by event, by row. By
-- arrival all but a few are applied, so those need no index of their own.
CREATE INDEX loopmap_deliveries_status ON loopmap_deliveries (status) WHERE status <> 'applied';
CREATE INDEX loopmap_deliveries_event ON loopmap_deliveries (event);
CREATE INDEX loopmap_deliveries_key ON loopmap_deliveries (row_key) WHERE status <> 'applied';
