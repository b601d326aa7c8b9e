// What osls does not do by itself: refuse a stack that is too large, upload what Glue runs before the stack names it, and
// say (or, asked, delete) what a removed stack leaves behind.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const tsx = require('tsx/cjs/api');
const { CloudFormationClient } = require('@aws-sdk/client-cloudformation');
const { RDSClient } = require('@aws-sdk/client-rds');
const { S3Client } = require('@aws-sdk/client-s3');

const load = (path) => tsx.require(path, __filename);

class DeploymentPlugin {
  constructor(serverless, options, { log, progress }) {
    Object.assign(this, { serverless, options, log, progress });
    this.provider = serverless.getProvider('aws');
    this.commands = {
      remove: {
        options: {
          'empty-buckets': {
            usage: 'Delete the landing and the lake bucket too, with every version of everything in them',
            type: 'boolean',
          },
        },
      },
    };
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        this.checkImage();
        this.checkSize();
      },
      'after:aws:deploy:deploy:uploadArtifacts': () => this.upload(),
      'before:remove:remove': () => this.remember(),
      'after:remove:remove': () => this.leave(),
    };
  }

  checkImage() {
    const { Resources } = this.serverless.service.provider.compiledCloudFormationTemplate;
    const image = Resources.ConnectTask.Properties.ContainerDefinitions[0].Image;
    load('./debezium-image.ts').assertImage(image, this.provider.getStage(), !('Nat' in Resources));
  }

  checkSize() {
    const { parseRegistry } = load('../functions/cdc/registry.ts');
    const { tables } = parseRegistry(readFileSync(join(__dirname, '..', 'tables.yml'), 'utf8'));
    load('./stack-limits.ts').checkStackSize(
      this.serverless.service.provider.compiledCloudFormationTemplate,
      tables.map(({ id }) => id),
    );
  }

  async upload() {
    const prefix = this.serverless.service.custom.assets;
    const template = this.serverless.service.provider.compiledCloudFormationTemplate;
    if (!JSON.stringify(template).includes(prefix)) {
      throw new this.serverless.classes.Error(
        `The package that is deployed was made from other SQL or Glue code than what is here (${prefix}); package again`,
      );
    }
    this.progress.get('main').notice('Uploading what Glue runs');
    const { put, present } = await load('./assets/upload.ts').uploadAssets({
      s3: new S3Client(await this.provider.getAwsSdkV3Config()),
      bucket: await this.provider.getServerlessDeploymentBucketName(),
      prefix,
      files: load('./assets/contents.ts').assetFiles(join(__dirname, '..')),
    });
    this.log.notice(`Glue's assets ${prefix}: ${put} files uploaded, ${present} were there`);
  }

  // While the stack is still there to be asked.
  async remember() {
    const { refusalOf, remainsOf } = load('./removal.ts');
    const settings = await this.provider.getAwsSdkV3Config();
    const stack = this.provider.naming.getStackName();
    this.remains = await remainsOf(new CloudFormationClient(settings), stack);
    const refusal = await refusalOf(new RDSClient(settings), this.remains, this.provider.getStage());
    if (refusal) throw new this.serverless.classes.Error(refusal);
  }

  async leave() {
    const { bucketsOf, deleteBucket, removalNotes } = load('./removal.ts');
    const emptied = this.options['empty-buckets'] ? bucketsOf(this.remains) : [];
    const s3 = new S3Client(await this.provider.getAwsSdkV3Config());
    for (const bucket of emptied) {
      const main = this.progress.get('main');
      const deleted = await deleteBucket(s3, bucket, (sofar) =>
        main.notice(`Emptying ${bucket}, ${sofar} versions gone`),
      );
      this.log.notice(`Bucket ${bucket} deleted, with ${deleted} versions of objects`);
    }
    const stays = this.remains.filter(({ physicalId }) => !emptied.includes(physicalId));
    const deployment = { prefix: this.serverless.service.custom.prefix, region: this.provider.getRegion() };
    for (const line of removalNotes(stays, deployment)) this.log.notice(line);
  }
}

module.exports = DeploymentPlugin;
