"""What runs on a laptop only: the function host, embedded servers, PSP stand-ins, the demo."""
