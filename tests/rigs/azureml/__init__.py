"""A loopback Azure Resource Manager whose requests and answers fit the models of Azure's SDK."""

from tests.rigs.azureml.fake import FakeAzure as FakeAzure
