"""What endpoint.json says of the endpoint: roles, models, samplings, instances, since when.

In: the raw answers of DescribeEndpoint, DescribeEndpointConfig and DescribeInferenceExperiment and
the scaling activities, each under its name, as boto3 or the AWS command line writes them
(`answers`); of one file (`facts`) or of several that were written in turn (`several`). Out: asking
AWS for them.
"""

from analyzer.endpoint.facts import endpoint_facts, read_endpoint
from analyzer.endpoint.several import read_endpoints

__all__ = ["endpoint_facts", "read_endpoint", "read_endpoints"]
