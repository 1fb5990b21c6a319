-- migrate:up

-- Pictures that were uploaded here are addressed without an origin. Pictures on other servers are no longer shown: each
-- viewer would tell that server their IP address.
UPDATE users SET profile_image_url = IF(
  profile_image_url LIKE '%/api/pictures/%',
  CONCAT('/api/pictures/', LEFT(SUBSTRING_INDEX(profile_image_url, '/api/pictures/', -1), 36)),
  NULL
)
WHERE profile_image_url IS NOT NULL AND profile_image_url NOT LIKE '/api/pictures/%';

-- migrate:down

-- Older code shows these addresses, too.
DO 0;
