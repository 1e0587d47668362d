"""Words everybody uses: ids, tenants, money, time, paging and the error families. No I/O, no framework."""
