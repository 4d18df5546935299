"""Rules with correlations of every type, over CloudTrail and over each other."""

RULES = """
title: A look
name: look
status: stable
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName|startswith: [Get, List]}
  condition: selection
---
title: A change
name: change
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName|startswith: [Put, Delete]}
  condition: selection
---
title: In no correlation
name: alone
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName|endswith: bucket}
  filter: {awsRegion: null}
  condition: selection and not filter
---
title: Any call
name: any_call
logsource: {product: aws}
detection:
  selection: {eventSource|endswith: .amazonaws.com}
  condition: selection
---
title: Anything that failed, in normal form
name: failed
logsource: {product: barograph, service: cloudtrail}
detection:
  selection: {status: failure}
  condition: selection
---
title: Looks
name: looks
correlation:
  type: event_count
  rules: look
  group-by: userIdentity.arn
  timespan: 1m
  condition: {gte: 4}
---
title: Calls of two rules, in all accounts
name: calls
correlation:
  type: event_count
  rules: [look, change]
  timespan: 30s
  condition: {gt: 9, lte: 14}
---
title: Different calls
name: different
correlation:
  type: value_count
  rules: [look, any_call]
  group-by: userIdentity.arn
  timespan: 2m
  condition: {gte: 4, field: eventName}
---
title: Different calls and regions
name: pairs
correlation:
  type: value_count
  rules: any_call
  group-by: [userIdentity.arn, awsRegion]
  timespan: 1m
  condition: {gte: 2, field: [eventName, errorCode]}
---
title: Look and change
name: both
correlation:
  type: temporal
  rules: [look, change]
  group-by: who
  aliases: {who: {look: userIdentity.arn, change: userIdentity.arn}}
  timespan: 20s
---
title: Change after look
name: then
correlation:
  type: temporal_ordered
  rules: [look, change]
  group-by: userIdentity.arn
  timespan: 5s
---
title: Quiet
name: quiet
correlation:
  type: event_count
  rules: change
  group-by: userIdentity.arn
  timespan: 1m
  condition: {lt: 2}
---
title: Bytes
name: bytes
correlation:
  type: value_sum
  rules: [look, any_call]
  group-by: userIdentity.arn
  timespan: 1m
  condition: {gt: 250, field: bytes.in}
---
title: Mean bytes
name: mean
correlation:
  type: value_avg
  rules: any_call
  group-by: [userIdentity.arn, awsRegion]
  timespan: 30s
  condition: {gte: 40, lt: 60, field: bytes.in}
---
title: Mean bytes of who changed
name: middle
correlation:
  type: value_median
  rules: [look, change]
  group-by: userIdentity.arn
  timespan: 45s
  condition: {lte: 30, field: size}
  aliases: {size: {look: bytes.in, change: bytes.out}}
---
title: Most bytes
name: most
correlation:
  type: value_percentile
  rules: any_call
  timespan: 20s
  condition: {gt: 90, field: bytes.in, percentile: 95}
---
title: Two of three
name: two
correlation:
  type: temporal
  rules: [look, change, alone]
  group-by: userIdentity.arn
  timespan: 3s
  condition: {eq: 2}
---
title: Two of three in order
name: two_in_order
correlation:
  type: temporal_ordered
  rules: [look, change, alone]
  group-by: userIdentity.arn
  timespan: 5s
  condition: {gte: 2}
---
title: Either
name: either
correlation:
  type: temporal
  rules: [look, change, alone]
  group-by: userIdentity.arn
  timespan: 4s
  condition: look and (change or alone)
---
title: Either in order
name: either_in_order
correlation:
  type: temporal_ordered
  rules: [look, change, alone]
  timespan: 2s
  condition: (look or change) and alone
---
title: A change and no look
name: blind
correlation:
  type: temporal
  rules: [look, change]
  group-by: userIdentity.arn
  timespan: 30s
  condition: change and not look
---
title: A look that no change followed
name: unanswered
correlation:
  type: temporal_ordered
  rules: [alone, look, change]
  group-by: userIdentity.arn
  timespan: 20s
  condition: look and not change or alone and change
---
title: Unanswered again and again
name: unanswered_often
correlation:
  type: event_count
  rules: [unanswered, blind]
  group-by: userIdentity.arn
  timespan: 15m
  condition: {gte: 3}
---
title: Unanswered, then bytes and no calm
name: unanswered_then
correlation:
  type: temporal_ordered
  rules: [unanswered, bytes, two]
  group-by: userIdentity.arn
  timespan: 10m
  condition: unanswered and bytes and not two
---
title: Many onsets
name: onsets
correlation:
  type: event_count
  rules: [looks, then]
  group-by: userIdentity.arn
  timespan: 15m
  condition: {gte: 2}
---
title: Looks and what follows
name: chain
correlation:
  type: temporal
  rules: [looks, both, failed]
  group-by: who
  aliases: {who: {looks: userIdentity.arn, both: who, failed: actor.id}}
  timespan: 5m
---
title: Chain of chains
name: chains
correlation:
  type: event_count
  rules: [chain, change]
  group-by: who
  aliases: {who: {chain: who, change: userIdentity.arn}}
  timespan: 1h
  condition: {gte: 3}
"""
