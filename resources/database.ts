import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att, ref } from './intrinsics.ts';
import { PackagingError } from './packaging-error.ts';
import { readSource } from './source.ts';

const MIB = 1024 * 1024;

/**
 * The source database: one of ours (`database: own`), or nothing, where a stage takes one that exists
 * (`database: existing`); the network then leads to it.
 * @throws PackagingError that names the parameters that are missing
 */
export async function databasePart(context: StageContext): Promise<TemplatePart> {
  if ((await readSource(context)).kind === 'existing') return { Resources: {} };
  return {
    Resources: {
      DatabaseSubnets: subnets(context.prefix),
      DatabaseParameters: await parameters(context),
      DatabaseLogGroup: logGroup(context.prefix),
      Database: instance(context.prefix),
    },
  };
}

function subnets(prefix: string): Resource {
  return {
    Type: 'AWS::RDS::DBSubnetGroup',
    Properties: {
      DBSubnetGroupName: prefix,
      DBSubnetGroupDescription: `${prefix}, the source database`,
      SubnetIds: `\${param:privateSubnets}`,
    },
  };
}

async function parameters(context: StageContext): Promise<Resource> {
  return {
    Type: 'AWS::RDS::DBParameterGroup',
    Properties: {
      Family: 'postgres15',
      Description: 'Logical replication, encrypted connections only',
      Parameters: {
        'rds.logical_replication': '1',
        'rds.force_ssl': '1',
        // In MB. What the slot may hold back at most, so that a connector that stands still can't fill the disk.
        max_slot_wal_keep_size: String(await slotBudgetMb(context)),
      },
    },
  };
}

async function slotBudgetMb({ stage, param }: StageContext): Promise<number> {
  const text = await param('slotBudgetBytes');
  const megabytes = Number(text) / MIB;
  if (Number.isInteger(megabytes) && megabytes > 0) return megabytes;
  throw new PackagingError(
    `The parameter slotBudgetBytes of stage ${stage} is "${text}"; it must be a multiple of ${MIB} bytes, e.g. ${10 * 1024 * MIB}.`,
  );
}

/** RDS would make it itself, without a retention and a key. */
function logGroup(prefix: string): Resource {
  return {
    Type: 'AWS::Logs::LogGroup',
    Properties: {
      LogGroupName: `/aws/rds/instance/${prefix}/postgresql`,
      RetentionInDays: `\${param:logDays}`,
      KmsKeyId: att('DataKey'),
    },
  };
}

function instance(prefix: string): Resource {
  return {
    Type: 'AWS::RDS::DBInstance',
    DependsOn: 'DatabaseLogGroup',
    Metadata: {
      checkov: {
        skip: [
          {
            id: 'CKV_AWS_161',
            comment: 'Debezium signs in with a password, which Secrets Manager keeps and rotates',
          },
          {
            id: 'CKV_AWS_157',
            comment: 'Two zones cost double: the parameter databaseMultiAz decides by stage',
          },
          {
            id: 'CKV_AWS_118',
            comment: 'Storage, WAL and slot are watched by alarms; the second-by-second view is not needed',
          },
        ],
      },
    },
    DeletionPolicy: 'Snapshot',
    UpdateReplacePolicy: 'Snapshot',
    Properties: {
      DBInstanceIdentifier: prefix,
      Engine: 'postgres',
      EngineVersion: `\${param:databaseVersion}`,
      DBInstanceClass: `\${param:databaseClass}`,
      DBName: `\${param:sourceDatabase}`,
      Port: `\${param:sourcePort}`,
      StorageType: 'gp3',
      AllocatedStorage: `\${param:databaseStorageGb}`,
      MaxAllocatedStorage: `\${param:databaseStorageMaxGb}`,
      StorageEncrypted: true,
      KmsKeyId: att('DataKey'),
      MasterUsername: 'shop_owner',
      // RDS makes the password, keeps it in a secret and changes it every week.
      ManageMasterUserPassword: true,
      MasterUserSecret: { KmsKeyId: ref('DataKey') },
      DBParameterGroupName: ref('DatabaseParameters'),
      DBSubnetGroupName: ref('DatabaseSubnets'),
      VPCSecurityGroups: [att('DatabaseSecurityGroup', 'GroupId')],
      PubliclyAccessible: false,
      MultiAZ: `\${param:databaseMultiAz}`,
      DeletionProtection: `\${param:databaseProtected}`,
      BackupRetentionPeriod: `\${param:databaseBackupDays}`,
      DeleteAutomatedBackups: true,
      CopyTagsToSnapshot: true,
      // A version is raised by a deployment: RDS's own choice would be ahead of the template.
      AutoMinorVersionUpgrade: false,
      AllowMajorVersionUpgrade: false,
      EnableCloudwatchLogsExports: ['postgresql'],
    },
  };
}
