"""CloudFormation for moto's server: stacks that create, update and delete resources through the services' own APIs.

moto 5.2.5 knows a third of the types that the deployment uses, resolves `Fn::Sub` and outputs in part, updates nothing
that depends on what changed and deletes in no order. Here a stack is applied in the order of its references and removed
in the reverse; a type is an entry in a table (`types/`), made of calls that every client of the service could make, so
that whatever a stack holds is seen by the service's own list call.
"""
