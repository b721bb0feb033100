"""What every door does with a call before its own code sees it (body, caller, rate, repeats), and the audit rows of refused attempts."""
