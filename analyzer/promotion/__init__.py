"""Carrying a verdict out: AWS requests made from it, and sent only when that is asked for.

matching     does the verdict speak of what the endpoint runs now?
plan         verdict + description -> Plan, a frozen list of requests with their reasons
self_service, experiment   the two routes; scaling and alarms are the same on both
choice, cautions, permissions   what a person chooses, should know, and must be allowed
requests     one request: body, reason, command line, botocore's opinion
description, describe   the endpoint as it is, from a file or from AWS
apply, record   sends a plan and waits; what a second call goes on from
"""
