"""Respond: findings become incidents, incidents get playbook runs, runs act on doors, accounts and hosts, and people are reached.

Whatever touches the world passes one gateway with the life-safety interlock; whatever is decided is a row before it is done.
"""
