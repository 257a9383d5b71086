"""HTTP/1.1 as an asyncio protocol: strict parsing, limits, keep-alive and pipelining."""
